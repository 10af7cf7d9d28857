// figures.mjs - a page keeps what people wrote around its figures: `what` names the place in it.
import fs from 'node:fs';

export function replaceFigures(file, what, figures) {
  const page = fs.readFileSync(file, 'utf8');
  const begin = `<!-- figures: written by ${what} -->`;
  const at = page.indexOf(begin), behind = page.indexOf('<!-- end of figures -->', at);
  if (at < 0 || behind < at) throw new Error(`${file} has no place for the figures of ${what}`);
  fs.writeFileSync(file, `${page.slice(0, at)}${begin}\n${figures}${page.slice(behind)}`);
}
