/** What every element starts from, whatever the page around does. Sizes are px: a page's root font is its own matter. */
export const base = `
:host{all:initial;display:contents}
:host([hidden]){display:none}
.app{all:initial;display:contents;font:400 var(--agentstore-font-size)/1.55 var(--agentstore-font);color:var(--agentstore-text);color-scheme:var(--_scheme);text-align:start;-webkit-text-size-adjust:100%;-webkit-font-smoothing:antialiased}
.app *,.app ::before,.app ::after{box-sizing:border-box}
.app [hidden]{display:none!important}
p,ul,ol,h2,h3,pre,blockquote,form{margin:0;padding:0}
ul,ol{list-style:none}
button,input,textarea{font:inherit;letter-spacing:inherit;color:inherit;background:none;border:0;margin:0;padding:0;border-radius:8px;text-align:inherit}
button,summary{cursor:pointer;-webkit-tap-highlight-color:transparent}
button[aria-disabled=true]{cursor:default}
svg{display:block;inline-size:20px;block-size:20px;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
:focus-visible{outline:2px solid var(--agentstore-focus-ring);outline-offset:2px}
svg.bold{stroke-width:3}
svg.solid{fill:currentColor}
.sr{position:absolute;inline-size:1px;block-size:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.icon-button{display:grid;place-items:center;flex:none;inline-size:36px;block-size:36px;color:var(--agentstore-muted-text)}
.icon-button:hover,.icon-button[aria-expanded=true]{color:var(--agentstore-text);background:color-mix(in srgb,var(--agentstore-text) 7%,transparent)}
.small.icon-button{inline-size:28px;block-size:28px}
.small svg{inline-size:16px;block-size:16px}
.link{color:var(--agentstore-link);font-weight:500;text-decoration:underline;text-underline-offset:3px;text-decoration-thickness:1px;min-block-size:24px}
.avatar{flex:none;inline-size:36px;block-size:36px;border-radius:50%;object-fit:cover;display:grid;place-items:center;font-weight:600;background:var(--agentstore-launcher);color:var(--agentstore-launcher-text)}
@media (pointer:coarse){.icon-button,.small.icon-button{inline-size:44px;block-size:44px}.link{min-block-size:44px}}
`;
