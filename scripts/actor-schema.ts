// Writes .actor/input_schema.json from the settings. Run it (`npm run actor:schema`) after a setting was added or changed.
import { writeFileSync } from 'node:fs';

import { actorInputSchemaText } from '../src/input/actor-schema.ts';

writeFileSync(new URL('../.actor/input_schema.json', import.meta.url), actorInputSchemaText());
