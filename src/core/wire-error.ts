// An error on its way from one process to another: what it means for a page must arrive with it.
import { messageOf, SurefootError, type ErrorKind } from './errors.ts';
import { TransportError, type TransportFault } from './transport.ts';
import { VerdictError, type Verdict } from './verdict.ts';

/** An error as plain data. */
export interface WireError {
  readonly message: string;
  readonly kind?: ErrorKind;
  readonly verdict?: Exclude<Verdict, 'ok'>;
  readonly status?: number | null;
  readonly fault?: TransportFault;
}

export function toWireError(error: unknown): WireError {
  const message = messageOf(error);
  if (error instanceof VerdictError) return { message, verdict: error.verdict, status: error.status };
  if (error instanceof TransportError) return { message, fault: error.fault };
  // Its message begins with the kind, which the constructor puts there again.
  if (error instanceof SurefootError) return { message: message.slice(`[${error.kind}] `.length), kind: error.kind };
  return { message };
}

export function fromWireError({ message, kind, verdict, status, fault }: WireError): Error {
  if (verdict !== undefined) return new VerdictError(verdict, message, status == null ? {} : { status });
  if (fault !== undefined) return new TransportError(fault, message);
  return kind === undefined ? new Error(message) : new SurefootError(kind, message);
}
