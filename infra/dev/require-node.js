// Plain JavaScript on purpose: Node 20 must be able to read it to say why it cannot go on.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `The store needs Node 24 and this is ${process.version}. "npm ci" installs it for x64 Linux; "npm start" then uses it. On other machines install Node 24.\n`,
  );
  process.exit(1);
}
