/** Monaco's language services run in workers of our own origin: nothing is asked of a CDN, and the page's policy allows no other. */
const files: Readonly<Record<string, string>> = { json: 'json.worker.js', graphql: 'graphql.worker.js' };

Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) =>
      new Worker(new URL(`./${files[label] ?? 'editor.worker.js'}`, import.meta.url)),
  },
});
