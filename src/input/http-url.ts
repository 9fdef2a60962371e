// The one type of all settings that are addresses.
import { z } from 'zod';

/** Start URLs are stored with the run, and settings are shown in exports: a password must not be in either. */
export const httpUrl = z.url({ protocol: /^https?$/ }).regex(/^https?:\/\/[^/?#@]+([/?#]|$)/i);

export const AN_HTTP_URL = 'an absolute http(s) URL without user name and password';
