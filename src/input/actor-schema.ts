// The Actor's input schema (.actor/input_schema.json), made from the settings: `npm run actor:schema` writes it.
import { ACTOR_FIELDS } from './actor-fields.ts';
import { SECTIONS } from './actor-form.ts';

/** https://docs.apify.com/platform/actors/development/actor-definition/input-schema */
export function actorInputSchema(): Record<string, unknown> {
  let before: string | null = null;
  const properties = ACTOR_FIELDS.map(({ name, section, property }) => {
    const caption = section === before ? {} : { sectionCaption: SECTIONS[section] };
    before = section;
    return [name, { ...property, ...caption }] as const;
  });
  return {
    $schema: 'https://apify.com/schemas/v1/input.ide.json',
    title: 'Surefoot',
    description: 'Crawls a site of list and detail pages. A run that migrates, is aborted or resurrected goes on where it was.',
    type: 'object',
    schemaVersion: 1,
    properties: Object.fromEntries(properties),
  };
}

/** The text of the file. */
export function actorInputSchemaText(): string {
  return `${JSON.stringify(actorInputSchema(), null, 2)}\n`;
}
