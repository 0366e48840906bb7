import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way in that adds the run token, which the conformance suite cannot send; everything else, Host and Origin too, it hands on as it came. */
export async function openFront(
  origin: string,
  authorization: string,
): Promise<{ readonly host: string; close(): void }> {
  const server = http.createServer((incoming, outgoing) => {
    const onward = http.request(
      origin,
      {
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: { ...incoming.headers, authorization },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
