/** A text file that goes along with a message. */
export interface Attachment {
  readonly name: string;
  readonly text: string;
}

export type Unreadable = 'too-large' | 'not-text';

/** What a file says, if it is UTF-8 text of at most `maxBytes`. */
export async function readTextFile(file: File, maxBytes: number): Promise<Attachment | Unreadable> {
  if (file.size > maxBytes) return 'too-large';
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
    return text.includes('\0')
      ? 'not-text'
      : { name: file.name.replace(/[`\r\n]/g, ' ').trim() || 'file', text };
  } catch {
    return 'not-text';
  }
}

/** The message as the agent gets it: each file is its name and a fenced block, whose fence is longer than any in it. */
export function withAttachments(text: string, files: readonly Attachment[]): string {
  const blocks = files.map((file) => {
    const longest = Math.max(2, ...[...file.text.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longest + 1);
    const language = /\.([a-z0-9]{1,10})$/i.exec(file.name)?.[1]?.toLowerCase() ?? 'text';
    return `\`${file.name}\`\n${fence}${language}\n${file.text.replace(/\n$/, '')}\n${fence}`;
  });
  return [text.trim(), ...blocks].filter(Boolean).join('\n\n');
}

const block = /(?:^|\n\n)`([^`\n]+)`\n(`{3,})[a-z0-9]+\n([\s\S]*?)\n\2(?=\n\n|$)/g;

/** What `withAttachments` made, taken apart again for showing. */
export function splitAttachments(message: string): {
  readonly text: string;
  readonly files: readonly Attachment[];
} {
  const files = [...message.matchAll(block)].map(([, name, , text]) => ({ name: name!, text: text! }));
  return { text: message.replace(block, '').trim(), files };
}

/** `64 kB`, in the locale's way. */
export function bytesText(bytes: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit: 'kilobyte' }).format(Math.ceil(bytes / 1024));
}
