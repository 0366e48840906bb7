/** The sign-in page: one form, no script, nothing from elsewhere. */
export function loginPage(options: { uid: string; message?: string; email?: string }): string {
  const message = options.message ? `<p role="alert">${escapeHtml(options.message)}</p>` : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Agent Store (development)</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #f4f6f8; margin: 0; display: grid; min-height: 100vh; place-items: center; }
  main { background: #fff; padding: 2rem; border-radius: 12px; width: min(22rem, 90vw); box-shadow: 0 1px 4px #0002; }
  h1 { font-size: 1.25rem; margin: 0 0 1rem; }
  label { display: block; margin: .75rem 0 .25rem; font-weight: 600; }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #7a8594; border-radius: 6px; }
  button { font: inherit; font-weight: 600; margin-top: 1.25rem; width: 100%; padding: .6rem; border: 0; border-radius: 6px; background: #1f4fd8; color: #fff; }
  input:focus-visible, button:focus-visible { outline: 3px solid #8fb0ff; outline-offset: 1px; }
  [role=alert] { color: #a3161f; font-weight: 600; }
</style>
</head>
<body>
<main>
<h1>Sign in to the Agent Store</h1>
${message}
<form method="post" action="/interaction/${encodeURIComponent(options.uid)}/login">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus value="${escapeHtml(options.email ?? '')}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>
</main>
</body>
</html>
`;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
