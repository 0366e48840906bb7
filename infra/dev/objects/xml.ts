/** A tree for `toXml`: text, a list (the element repeats), or children by name; undefined leaves the element out. */
export type Xml = string | number | boolean | readonly Xml[] | { readonly [name: string]: Xml | undefined };

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** An S3 answer: one root element in S3's namespace. */
export const toXml = (root: string, content: Xml): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner(content)}</${root}>`;

/** S3's error document, which has no namespace. */
export const errorXml = (content: Xml): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner(content)}</Error>`;

function inner(content: Xml): string {
  if (typeof content !== 'object') return escapeText(String(content));
  if (Array.isArray(content)) return content.map(inner).join('');
  return Object.entries(content as { readonly [name: string]: Xml | undefined })
    .map(([name, value]) => {
      if (value === undefined) return '';
      const values = Array.isArray(value) ? (value as readonly Xml[]) : [value];
      return values.map((one) => `<${name}>${inner(one)}</${name}>`).join('');
    })
    .join('');
}

/** Control characters cannot stand in XML 1.0 as such; S3 writes them as references, which its clients read. */
const escapeText = (text: string): string =>
  text.replace(
    /[&<>"']|\p{Cc}/gu,
    (char) => escapes[char] ?? `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`,
  );

/** Text of every `<name>` in a small request document (Delete, CompleteMultipartUpload), in order; not a general parser. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    (match) => match[1]!,
  );
}

/** Undoes XML's escapes. */
export function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal) return String.fromCodePoint(Number(decimal));
      return Object.keys(escapes).find((char) => escapes[char] === `&${name};`) ?? whole;
    },
  );
}
