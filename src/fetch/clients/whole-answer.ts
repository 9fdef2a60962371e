// An answer with its whole body, as `sendRequest()` gives it, from one that streams.
import { buffer } from 'node:stream/consumers';

import type { HttpRequest, HttpResponse, ResponseTypes, StreamingHttpResponse } from '@crawlee/core';

import { decodeBody } from '../decode.ts';

/** @throws What ended the body early; SyntaxError for a body that is not the JSON it was asked for as. */
export async function wholeAnswer<Type extends keyof ResponseTypes = 'text'>(
  request: HttpRequest<Type>,
  { stream, downloadProgress: _down, uploadProgress: _up, ...answer }: StreamingHttpResponse,
): Promise<HttpResponse<Type>> {
  const bytes = await buffer(stream);
  return { ...answer, request, body: toType(request.responseType, bytes, answer.headers) as ResponseTypes[Type] };
}

function toType(type: keyof ResponseTypes = 'text', bytes: Buffer, headers: HttpResponse['headers']): unknown {
  if (type === 'buffer') return bytes;
  const text = decodeBody(bytes, headers['content-type']?.toString());
  return type === 'json' ? JSON.parse(text) : text;
}
