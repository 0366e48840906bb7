import { getDomain } from 'tldts';

/** An origin as browsers send it, read. */
interface Origin {
  readonly scheme: 'http' | 'https';
  /** Of the host, in lower-case ASCII; an IP address is one label. */
  readonly labels: readonly string[];
  readonly port: number;
  /** Normalised: without default port and trailing dot. */
  readonly text: string;
}

/** A host, or all hosts below one, on whose pages an instance's widget may stand. */
export interface AllowedDomain extends Pick<Origin, 'scheme' | 'labels'> {
  /** The hosts with at least one label more than these; not the host itself. */
  readonly subdomains: boolean;
  /** Null for any, which only the own machine can have. */
  readonly port: number | null;
  /** The entry as it is kept and shown; it reads as the same. */
  readonly text: string;
}

/** Whether hosts of the own machine may be entries: for development. */
interface Rules {
  readonly loopbackOrigins: boolean;
}

export const mostAllowedDomains = 100;

/** Reads entries as people write them. `faults` are sentences about those that are refused; the same entry twice is one. */
export function parseAllowedDomains(
  entries: readonly string[],
  rules: Rules,
): { readonly domains: readonly AllowedDomain[]; readonly faults: readonly string[] } {
  const domains = new Map<string, AllowedDomain>();
  const faults = entries.length > mostAllowedDomains ? [`At most ${mostAllowedDomains} can be allowed.`] : [];
  for (const entry of entries.slice(0, mostAllowedDomains)) {
    const read = parseEntry(entry.trim().toLowerCase(), rules);
    if (typeof read === 'string') faults.push(`${JSON.stringify(entry.slice(0, 100))} ${read}.`);
    else domains.set(read.text, read);
  }
  return { domains: [...domains.values()], faults };
}

/** The normalised origin when an entry accepts it. The header has to be exactly one origin: programs that send none, or `null`, use an API key. */
export const acceptsOrigin = (
  domains: readonly AllowedDomain[],
  header: string | null | undefined,
): string | undefined => {
  const origin = parseOrigin(header ?? '');
  return origin && domains.some((domain) => accepts(domain, origin)) ? origin.text : undefined;
};

/** Why `acceptsOrigin` answers what it does, in a sentence for the owner of the site. */
export function whyOrigin(domains: readonly AllowedDomain[], header: string): string {
  const origin = parseOrigin(header);
  if (!origin)
    return 'This is no origin as browsers send it: scheme, host in ASCII, and port unless it is the default, e.g. https://www.example.com.';
  const by = domains.find((domain) => accepts(domain, origin));
  if (by) return `${by.text} accepts it.`;
  const near = (change: Partial<AllowedDomain>): AllowedDomain | undefined =>
    domains.find((domain) => accepts({ ...domain, ...change }, origin));
  const otherScheme = near({ scheme: origin.scheme, port: null });
  const apex = near({ subdomains: false });
  if (apex) return `${apex.text} stands for what is below this host, not for the host itself.`;
  if (otherScheme) return `${otherScheme.text} has this host with another scheme or port.`;
  return domains.length ? 'No entry has this host.' : 'No site is allowed yet.';
}

function accepts({ scheme, labels, subdomains, port }: AllowedDomain, origin: Origin): boolean {
  const above = origin.labels.length - labels.length;
  return (
    scheme === origin.scheme &&
    (port === null || port === origin.port) &&
    (subdomains ? above > 0 : above === 0) &&
    labels.every((label, index) => label === origin.labels[above + index]) &&
    // Below a wildcard others may have hosts of their own, as customers of s3.amazonaws.com have below amazonaws.com.
    (!subdomains || registrableDomain(labels) === registrableDomain(origin.labels))
  );
}

const defaultPort = { http: 80, https: 443 } as const;
const portSuffix = (scheme: Origin['scheme'], port: number | null): string =>
  port === defaultPort[scheme] ? '' : `:${port ?? '*'}`;

const entryShape =
  /^(?:(https?):\/\/)?(\*\.)?(\[[0-9a-f:]+\]|[\p{L}\p{M}\p{N}._-]+)(?::(\*|[1-9]\d{0,4}))?$/u;

/** An entry, or what is wrong with it. */
function parseEntry(entry: string, { loopbackOrigins }: Rules): AllowedDomain | string {
  const [, written, wildcard, writtenHost = '', writtenPort] = entryShape.exec(entry) ?? [];
  const host = readHost(writtenHost);
  if (!host)
    return 'is no host: write example.com, *.example.com or https://example.com:8443, without path, query and user';
  const { labels, address, loopback } = host;
  if (loopback && !loopbackOrigins) return 'is the own machine, where no customer has a site';
  const subdomains = wildcard !== undefined;
  if (subdomains && (address || loopback)) return 'has nothing below it that is its own';
  if (address && !written) return 'is an address: write http:// or https:// before it';
  if (!address && !loopback && !registrableDomain(labels))
    return 'is a public suffix: everybody can have a site below it';
  if (writtenPort === '*' && !loopback) return 'must have one port';
  // Nobody has a certificate for the own machine.
  const scheme = (written ?? (loopback ? 'http' : 'https')) as Origin['scheme'];
  const port = writtenPort === '*' ? null : Number(writtenPort ?? defaultPort[scheme]);
  if (port !== null && port > 65_535) return 'has a port above 65535';
  const text = `${wildcard ?? ''}${labels.join('.')}${portSuffix(scheme, port)}`;
  const plain = scheme === 'https' && port === defaultPort.https && !address && !loopback;
  return { scheme, labels, subdomains, port, text: plain ? text : `${scheme}://${text}` };
}

function parseOrigin(header: string): Origin | undefined {
  // Without the flag u, so that no letter outside of ASCII counts as one of these in another case.
  const [whole, , writtenHost = '', writtenPort] =
    /^(https?):\/\/(\[[0-9a-f:]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?$/i.exec(header) ?? [];
  const host = readHost(writtenHost.toLowerCase());
  if (!whole || !host) return undefined;
  const scheme = whole.toLowerCase().startsWith('https') ? 'https' : 'http';
  const port = Number(writtenPort ?? defaultPort[scheme]);
  const { labels } = host;
  return port > 65_535
    ? undefined
    : { scheme, labels, port, text: `${scheme}://${labels.join('.')}${portSuffix(scheme, port)}` };
}

/** A host as it was written, in lower case. IP addresses are written as browsers write them or are none: `127.1` and `0x7f000001` are refused. */
function readHost(
  written: string,
): { readonly labels: readonly string[]; readonly address: boolean; readonly loopback: boolean } | undefined {
  const name = URL.parse(`http://${written}`)?.hostname.replace(/\.$/, '') ?? '';
  if (/^\[|^\d+\.\d+\.\d+\.\d+$/.test(name))
    return name === written
      ? { labels: [name], address: true, loopback: /^(127\.|0\.0\.0\.0$|\[::1?\]$)/.test(name) }
      : undefined;
  const labels = name.split('.');
  return name.length <= 253 && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
    ? { labels, address: false, loopback: labels.at(-1) === 'localhost' }
    : undefined;
}

/** What somebody registered, with one label more than its public suffix; null for a public suffix, private ones (vercel.app) included. */
const registrableDomain = (labels: readonly string[]): string | null =>
  getDomain(labels.join('.'), { allowPrivateDomains: true });
