/** Rows as the Markdown table that Chat Output shows for a DataFrame (Python's tabulate, format `pipe`). */
export function markdownTable(rows: readonly unknown[]): string {
  const table = columnsOf(rows).map(({ name, values, isNumeric }) => {
    const cells = values.map((value) => (value === null ? '' : cellText(value)));
    const width = Math.max(name.length + 2, ...cells.map((cell) => cell.length));
    const rule = '-'.repeat(width + 1);
    return {
      rule: isNumeric ? `${rule}:` : `:${rule}`,
      cells: [name, ...cells].map((cell) => (isNumeric ? cell.padStart(width) : cell.padEnd(width))),
    };
  });
  if (table.length === 0) return '';
  const [head, ...body] = [...rows.keys(), rows.length].map(
    (at) => `| ${table.map(({ cells }) => cells[at]).join(' | ')} |`,
  );
  return [head, `|${table.map(({ rule }) => rule).join('|')}|`, ...body].join('\n');
}

/** Rows as a DataFrame becomes text in a prompt (pandas). lfx leaves out the middle columns of what is wider than 80 characters; here all stay. */
export function plainTable(rows: readonly unknown[]): string {
  if (rows.length === 0) return 'Empty Table\nColumns: []\nIndex: []';
  const indexWidth = String(rows.length - 1).length;
  const table = columnsOf(rows).map(({ name, values, isNumeric }) => {
    const cells = [isNumeric ? ` ${name}` : name, ...values.map((value) => ` ${oneLine(cellText(value))}`)];
    const width = Math.max(...cells.map((cell) => cell.length));
    return cells.map((cell) => cell.padStart(width));
  });
  return ['', ...rows.keys()]
    .map((index, at) => [String(index).padEnd(indexWidth), ...table.map((cells) => cells[at])].join(' '))
    .join('\n');
}

function columnsOf(rows: readonly unknown[]): { name: string; values: unknown[]; isNumeric: boolean }[] {
  const records = rows.map((row) => (isRecord(row) ? row : { '0': row }));
  return [...new Set(records.flatMap((record) => Object.keys(record)))].map((name) => {
    const values = records.map((record) => record[name] ?? null);
    return { name, values, isNumeric: values.every((value) => typeof value === 'number') };
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cellText = (value: unknown): string => (typeof value === 'string' ? value : pythonRepr(value));

/** A text in a cell, as pandas prints it. */
const oneLine = (text: string): string =>
  text
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`);

/** A JSON value as Python prints it. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string')
    return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (isRecord(value))
    return `{${Object.entries(value)
      .map(([name, member]) => `${pythonRepr(name)}: ${pythonRepr(member)}`)
      .join(', ')}}`;
  return String(value as number);
}
