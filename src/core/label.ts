// Which route a request takes: the label that it was given, or the one that its site names for its URL.
import type { Site } from './site.ts';

/** A request as far as its label goes: one of Crawlee's, or one as it is stored. */
export interface Labelled {
  readonly url: string;
  readonly label?: string | undefined;
  readonly userData?: Readonly<Record<string, unknown>>;
}

type Labelling = Pick<Site, 'labelOf'>;

/** @throws What the site's `labelOf` throws. */
export function nameLabel({ label, url, userData }: Labelled, { labelOf }: Labelling): string {
  return label ?? (userData?.['label'] as string | undefined) ?? labelOf(new URL(url));
}

/** As `nameLabel`; none where `labelOf` throws: that is the page's failure (fetch/handler.ts), not whoever asks here. */
export function labelFor(request: Labelled, site: Labelling): string | undefined {
  try {
    return nameLabel(request, site);
  } catch {
    return undefined;
  }
}
