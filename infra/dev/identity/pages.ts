import { createHash } from 'node:crypto';
import type { Provider } from 'oidc-provider';

/** One request at the provider (its Koa context). */
export type ProviderContext = Parameters<Parameters<Provider['use']>[0]>[0];

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { box-sizing: border-box; width: min(24rem, 100vw); padding: 2rem; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
p { margin: 0 0 1.25rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; margin-bottom: 1rem; padding: .6rem .75rem; font: inherit; border: 1px solid GrayText; border-radius: .4rem; background: Field; color: FieldText; }
button { width: 100%; margin-bottom: .75rem; padding: .7rem; font: inherit; font-weight: 600; border: 0; border-radius: .4rem; background: #1f4fd8; color: #fff; cursor: pointer; }
button.quiet { background: none; color: inherit; border: 1px solid GrayText; }
:focus-visible { outline: 3px solid #6b9bff; outline-offset: 2px; }
[role=alert] { padding: .6rem .75rem; border-left: 4px solid #c62828; background: color-mix(in srgb, #c62828 12%, Canvas); }`;

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Writes a page of the provider. No script, no outside asset; nobody may frame or keep it. `main` is HTML. */
export function showPage(
  ctx: Pick<ProviderContext, 'type' | 'set' | 'body'>,
  page: { title: string; main: string },
): void {
  ctx.type = 'html';
  ctx.set('content-security-policy', policy);
  ctx.set('cache-control', 'no-store');
  ctx.set('referrer-policy', 'no-referrer');
  ctx.set('x-content-type-options', 'nosniff');
  ctx.body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(page.title)} · Agent Store</title><style>${style}</style></head>
<body><main>
<h1>${escape(page.title)}</h1>
${page.main}
</main></body>
</html>
`;
}

/** The sign-in form; it posts to the address it is shown at. */
export const signInForm = (options: { client: string; email: string; error?: string }): string => `
<p>to go on to ${escape(options.client)}</p>
${options.error ? `<p role="alert" id="fault">${escape(options.error)}</p>` : ''}
<form method="post">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required ${options.error ? 'aria-describedby="fault" ' : ''}${options.email ? '' : 'autofocus '}value="${escape(options.email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${options.email ? ' autofocus' : ''}>
<button type="submit">Sign in</button>
</form>
<form method="post">
<input type="hidden" name="cancel" value="yes">
<button class="quiet" type="submit">Cancel</button>
</form>`;

/** The question before signing out; `form` is the library's own, with its secret. */
export const signOutForm = (form: string): string => `
<p>You will be asked for your password the next time.</p>
${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
<button class="quiet" type="submit" form="op.logoutForm">Stay signed in</button>`;

/** One sentence, shown as a fault. */
export const faultText = (text: string): string => `<p role="alert">${escape(text)}</p>`;

/** One sentence. */
export const plainText = (text: string): string => `<p>${escape(text)}</p>`;

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
