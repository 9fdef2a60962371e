// The one type of all settings that are addresses.

/** As a URL parser takes it: without blanks at its ends and without line breaks and tabs. */
export function tidyUrl(text: string): string {
  return text.trim().replaceAll(/[\t\n\r]/g, '');
}

/** Start URLs are stored with the run, and settings are shown in exports: a password must not be in either. */
export function isHttpUrl(text: string): boolean {
  const url = tidyUrl(text);
  return /^https?:\/\/[^/?#@]+([/?#]|$)/i.test(url) && URL.canParse(url);
}

export const AN_HTTP_URL = 'an absolute http(s) URL without user name and password';
