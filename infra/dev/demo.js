import './require-node.js';
// After the check: Node 20 cannot read TypeScript.
await import('./demo.ts');
