// Messages between two processes: gathered and sent together once a turn of the event loop, with questions that are answered.
import { fromWireError, toWireError, type WireError } from '../core/wire-error.ts';

/** Questions by name: what is asked, and what is answered. */
type Catalogue<Names extends string> = Record<Names, { asked: unknown; answered: unknown }>;

/** What goes over the wire, in order. */
type Parcel<Message, Name extends string> =
  | { readonly message: Message }
  | { readonly ask: number; readonly name: Name; readonly asked: unknown }
  | { readonly answer: number; readonly answered?: unknown; readonly error?: WireError };

export interface ChannelOptions<Inbound, Questions extends Catalogue<Extract<keyof Questions, string>>> {
  /** Sends one batch to the other side. */
  send(batch: unknown): void;
  onMessage(message: Inbound): void;
  /** Answers the other side's questions; a side that is asked nothing leaves them out. */
  answers?: {
    [Name in keyof Questions]: (asked: Questions[Name]['asked']) => Promise<Questions[Name]['answered']>;
  };
}

export interface Channel<Outbound, Questions extends Catalogue<Extract<keyof Questions, string>>> {
  /** Sends a message with the others of this turn, or with the first ones within a time. @param withinMillis @default 0 */
  post(message: Outbound, withinMillis?: number): void;
  /** Sends what waits at once, synchronously: it is out of this process when this returns. */
  flush(): void;
  /** Resolves when what has been posted is out of this process: at the end of this turn. */
  sent(): Promise<void>;
  /** Rejects with the error that the other side met. */
  ask<Name extends Extract<keyof Questions, string>>(
    name: Name,
    asked: Questions[Name]['asked'],
  ): Promise<Questions[Name]['answered']>;
  /** Takes a batch that the other side has sent. */
  receive(batch: unknown): void;
}

export function createChannel<Inbound, Outbound, Questions extends Catalogue<Extract<keyof Questions, string>>>(
  options: ChannelOptions<Inbound, Questions>,
): Channel<Outbound, Questions> {
  type Name = Extract<keyof Questions, string>;
  let outbox: Parcel<Outbound, Name>[] = [];
  let scheduled = false;
  let timer: NodeJS.Timeout | null = null;
  const awaiting: (() => void)[] = [];
  let asked = 0;
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  const answers = new Map<string, (asked: unknown) => Promise<unknown>>(Object.entries(options.answers ?? {}));

  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (outbox.length === 0) return;
    const batch = outbox;
    outbox = [];
    options.send(batch);
    for (const resolve of awaiting.splice(0)) resolve();
  };
  const flushAtEndOfTurn = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  };
  const put = (parcel: Parcel<Outbound, Name>, withinMillis = 0) => {
    outbox.push(parcel);
    if (withinMillis > 0) {
      timer ??= setTimeout(flush, withinMillis);
      return;
    }
    flushAtEndOfTurn();
  };
  const answer = async (name: Name, question: number, what: unknown) => {
    try {
      put({ answer: question, answered: await answers.get(name)?.(what) });
    } catch (error) {
      put({ answer: question, error: toWireError(error) });
    }
  };

  return {
    post: (message, withinMillis) => put({ message }, withinMillis),
    flush,
    async sent() {
      if (outbox.length === 0) return;
      flushAtEndOfTurn();
      await new Promise<void>((resolve) => void awaiting.push(resolve));
    },
    async ask(name, what) {
      asked++;
      put({ ask: asked, name, asked: what });
      return new Promise((resolve, reject) => {
        open.set(asked, { resolve, reject });
      });
    },
    receive(batch) {
      for (const parcel of batch as Parcel<Inbound, Name>[]) {
        if ('message' in parcel) options.onMessage(parcel.message);
        else if ('ask' in parcel) void answer(parcel.name, parcel.ask, parcel.asked);
        else {
          const waiting = open.get(parcel.answer);
          open.delete(parcel.answer);
          if (parcel.error) waiting?.reject(fromWireError(parcel.error));
          else waiting?.resolve(parcel.answered);
        }
      }
    },
  };
}
