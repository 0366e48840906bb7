import { parseArgs } from 'node:util';
import { askSaleor, SaleorError, type SaleorAccess } from './ask-saleor.ts';
import { config } from './config.ts';
import * as operations from './operations.ts';
import { setupCatalogue } from './setup-catalogue.ts';

const usage = `Usage: npm run saleor:setup -- --url <Saleor GraphQL URL> --token <token> [options]

Makes what the store sells: channel settings, attributes, product type, plans Basic, Pro and Enterprise, credit packs, with prices, stock and
channel listing. What is there stays; it may be repeated.

  --url       Saleor's GraphQL URL, such as https://shop.example.com/graphql/
  --token     of an app or of staff, with MANAGE_CHANNELS, MANAGE_PRODUCTS, MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES and MANAGE_ORDERS;
              read from the environment as SALEOR_TOKEN when not given, so that it need not stand in the shell's history
  --channel   slug of the channel to sell in (default-channel); made when it is not there
  --currency  of that channel (USD)
  --country   its default country (US)
  --json      prints the ids as one JSON object instead of lines
`;

const fail = (text: string, code: number): never => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        url: { type: 'string' },
        token: { type: 'string' },
        channel: { type: 'string', default: 'default-channel' },
        currency: { type: 'string', default: 'USD' },
        country: { type: 'string', default: 'US' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`, 2);
  }
})();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const url = values.url && URL.parse(values.url)?.href;
const token = values.token ?? config.read().SALEOR_TOKEN;
if (!url || !token) fail(usage, 2);

/** Every Saleor tells anybody its name and version: what answers GraphQL and does not is something else. */
async function whoAnswers(access: SaleorAccess): Promise<{ name: string; version: string }> {
  try {
    return (await askSaleor<{ shop: { name: string; version: string } }>(access, operations.shopInfo)).shop;
  } catch (error) {
    if (error instanceof SaleorError && error.codes.length)
      throw new SaleorError(`${access.url} speaks GraphQL and is no Saleor: ${error.message}`);
    throw error;
  }
}

try {
  const access = { url: url!, token: token! };
  const shop = await whoAnswers(access);
  if (!shop.version.startsWith('3.22.'))
    process.stderr.write(`${shop.name} is Saleor ${shop.version}; this was tried on 3.22. Going on.\n`);
  const sold = await setupCatalogue(access, {
    channel: { slug: values.channel, currency: values.currency, country: values.country },
    report: ({ what, outcome }) => {
      if (!values.json) process.stdout.write(`${outcome.padEnd(7)} ${what}\n`);
    },
  });
  if (values.json) process.stdout.write(`${JSON.stringify(sold)}\n`);
  else
    process.stdout.write(
      `\nProduct and variant ids, for the offering's plans and packs:\n${[
        ...Object.entries(sold.productIds).map(([slug, id]) => `  ${slug.padEnd(20)} ${id}`),
        ...Object.values(sold.variants).map(({ sku, id }) => `  ${sku.padEnd(20)} ${id}`),
      ].join('\n')}\n`,
    );
} catch (error) {
  if (!(error instanceof SaleorError)) throw error;
  const denied = error.codes.includes('PermissionDenied');
  fail(
    denied
      ? `The token may not do this: ${error.message}\nIt needs MANAGE_CHANNELS, MANAGE_PRODUCTS, MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES and MANAGE_ORDERS.`
      : error.message,
    1,
  );
}
