/** Rows as the Markdown table that Chat Output shows for a DataFrame (Python's tabulate, format `pipe`). */
export function markdownTable(rows: readonly unknown[]): string {
  const records = rows.map((row) => (isRecord(row) ? row : { '0': row }));
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const cells = records.map((record) => columns.map((column) => cellText(record[column])));
  const widths = columns.map((column, at) =>
    Math.max(column.length + 2, ...cells.map((row) => row[at]!.length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  return [
    line(columns),
    `|${widths.map((width) => `:${'-'.repeat(width + 1)}`).join('|')}|`,
    ...cells.map(line),
  ].join('\n');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cellText = (value: unknown): string => (typeof value === 'string' ? value : pythonRepr(value));

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
