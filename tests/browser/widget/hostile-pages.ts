/** A page that is hard on whatever is embedded in it. `body` and `head` hold everything but the snippet. */
export interface HostilePage {
  readonly name: string;
  readonly head?: string;
  readonly body?: string;
  /** Of the html element; the doctype is left out when there is none. */
  readonly html?: string;
  readonly quirks?: boolean;
}

const text = `<h1>A page</h1><p>Some words of it. <a href="#">A link</a></p><button>A button</button><input value="a field"><ul><li>one<li>two</ul>`;
const style = (css: string): string => `<style>${css}</style>`;
const vendor = (file: string): string => `<link rel="stylesheet" href="/vendor/${file}">`;

/** The page that all others are compared with. */
export const quietPage: HostilePage = { name: 'quiet', body: text };

export const hostilePages: readonly HostilePage[] = [
  {
    name: 'bootstrap-3',
    head: vendor('bootstrap-3/dist/css/bootstrap.css'),
    body: `<div class="container">${text}</div>`,
  },
  {
    name: 'bootstrap-5',
    head: vendor('bootstrap/dist/css/bootstrap.css'),
    body: `<div class="container">${text}</div>`,
  },
  { name: 'tailwind-preflight', head: vendor('tailwindcss/preflight.css'), body: text },
  { name: 'everything-unset', head: style('* { all: unset !important; }'), body: text },
  {
    name: 'everything-initial',
    head: style('body * { all: initial !important; font: 40px cursive !important; color: red !important; }'),
    body: text,
  },
  { name: 'tiny-root-font', head: style('html { font-size: 4px; }'), body: text },
  { name: 'huge-root-font', head: style('html { font-size: 48px; line-height: 3; }'), body: text },
  {
    name: 'transformed-body',
    head: style(
      'body { transform: translate(3px, 5px) rotate(1deg); filter: sepia(1); perspective: 100px; }',
    ),
    body: text,
  },
  { name: 'right-to-left', html: 'lang="en" dir="rtl"', body: text },
  { name: 'quirks-mode', quirks: true, body: text },
  {
    name: 'turbo',
    head: '<script src="/vendor/@hotwired/turbo/dist/turbo.es2017-umd.js"></script>',
    body: `${text}<script>addEventListener('load', () => Turbo.visit(location.pathname + '?again', { action: 'replace' }))</script>`,
  },
  {
    name: 'swapped-body',
    body: `${text}<script>addEventListener('load', () => setTimeout(() => {
      document.dispatchEvent(new Event('astro:before-swap'));
      const next = document.createElement('body'); next.textContent = 'The next page'; document.body.replaceWith(next);
      document.dispatchEvent(new Event('astro:after-swap'));
    }, 200))</script>`,
  },
  {
    name: 'application-root',
    head: style(
      'html, body, #__next { height: 100%; margin: 0; overflow: hidden; } #__next { position: relative; isolation: isolate; z-index: 9999; }',
    ),
    body: `<div id="__next">${text}</div><script>addEventListener('load', () => { document.getElementById('__next').replaceChildren('rendered again'); })</script>`,
  },
  {
    name: 'theme-of-a-blog',
    head: style(`button, input, textarea, select { border: 3px solid #900 !important; border-radius: 0 !important; background: #fee !important; text-transform: uppercase !important; padding: 2em !important; width: 100% !important; }
      p, li, div { margin-bottom: 3em !important; font-family: Papyrus, fantasy !important; } svg, img { max-width: 12px !important; height: 12px !important; } a { border-bottom: 4px dotted !important; }`),
    body: text,
  },
  {
    name: 'inherited-text',
    head: style(
      'html { letter-spacing: 0.4em; word-spacing: 1em; text-transform: uppercase; text-align: center; text-indent: 3em; white-space: pre; font: italic 900 30px/3 fantasy; color: lime; visibility: visible; direction: ltr; cursor: wait; text-shadow: 2px 2px red; }',
    ),
    body: text,
  },
  {
    name: 'stacked-high',
    head: style(
      '.over { position: fixed; inset: 0 auto auto 0; width: 300px; height: 200px; z-index: 2147483647; background: gold; }',
    ),
    body: `${text}<div class="over">Cookies?</div>`,
  },
  {
    name: 'grid-body',
    head: style(
      'body { display: grid; grid-template-columns: repeat(3, 1fr); place-items: center; } body > * { float: left; width: 33%; max-width: 100px; overflow: hidden; position: relative !important; }',
    ),
    body: text,
  },
  {
    name: 'dark-only',
    head:
      '<meta name="color-scheme" content="dark">' +
      style('html { color-scheme: dark; background: #111; color: #eee; }'),
    body: text,
  },
  {
    name: 'same-names',
    head: style(
      ':root { --surface: red; --text: red; --primary: red; --border: red; --font: fantasy; --radius: 90px; } .panel, .message, .launcher, .composer { display: none !important; }',
    ),
    body: `${text}<div id="panel" class="panel">mine</div>`,
  },
  {
    name: 'patched-prototypes',
    body: `${text}<script>
      Array.prototype.toJSON = function () { return '[patched]'; };
      Array.prototype.each = function (f) { for (var i = 0; i < this.length; i++) f(this[i]); };
      Object.prototype.extend = function () { return this; };
      Function.prototype.bind = (function (bind) { return function () { return bind.apply(this, arguments); }; })(Function.prototype.bind);
    </script>`,
  },
  {
    name: 'slow-transitions',
    head: style(
      '* { transition: all 3s !important; animation-duration: 3s !important; outline: none !important; user-select: none !important; scroll-behavior: smooth !important; } body { pointer-events: none; }',
    ),
    body: text,
  },
];

/** The whole page, with the snippet in its head. */
export const htmlOf = (page: HostilePage, snippet: string): string =>
  `${page.quirks ? '' : '<!doctype html>'}<html ${page.html ?? 'lang="en"'}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${page.name}</title>${page.head ?? ''}${snippet}</head><body>${page.body ?? ''}</body></html>`;
