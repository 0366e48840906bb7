import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'minio';
import { afterEach, expect, it } from 'vitest';
import { artifactChecker } from './artifact-checker.ts';

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Storage that answers each request so. */
async function storage(answer: Parameters<typeof createServer>[1]): Promise<Client> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new Client({
    endPoint: '127.0.0.1',
    port,
    useSSL: false,
    accessKey: 'x',
    secretKey: 'y',
    region: 'us-east-1',
  });
}
const artifact = { bucket: 'artifacts', key: 'flow.json', sha256: 'a'.repeat(64), sizeBytes: 10 };

it('is a fault when storage takes the question and never answers', async () => {
  const objects = await storage(() => undefined);
  await expect(artifactChecker(objects, 20)(artifact)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it.each([
  [200, '10', true],
  [200, '11', false],
  [404, '0', false],
])('%i with %s bytes: %s', async (status, length, there) => {
  const objects = await storage((_request, response) =>
    response.writeHead(status, { 'content-length': length, etag: '"x"' }).end(),
  );
  expect(await artifactChecker(objects)(artifact)).toBe(there);
});
