// What is used of undici. Its index would load five times as many files: fetch, WebSocket, a cache, mocks.
import { createRequire } from 'node:module';

import type * as Undici from 'undici';

const require = createRequire(import.meta.url);

export const Agent = require('undici/lib/dispatcher/agent.js') as typeof Undici.Agent;
export const DecoratorHandler = require('undici/lib/handler/decorator-handler.js') as typeof Undici.DecoratorHandler;

const Dispatcher = require('undici/lib/dispatcher/dispatcher.js') as typeof Undici.Dispatcher;
// Its index, too, is what gives dispatchers this method.
Dispatcher.prototype.request = require('undici/lib/api/api-request.js') as Undici.Dispatcher['request'];
