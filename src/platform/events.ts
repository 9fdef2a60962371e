// Crawlee's events of this process, without its watch over the machine's memory: that starts `ps` every second, which a slim
// image does not have, and concurrency here is what was asked for and does not follow from it.
import { crawlee } from '../crawlee.ts';

/** When to save, and that a run ends; nothing else. */
export class ProcessEvents extends crawlee.EventManager {}
