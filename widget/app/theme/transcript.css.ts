/** Messages and all that is in them. */
export const transcript = `
.scroller{flex:1;min-block-size:0;overflow-y:auto;overscroll-behavior:contain;padding:16px;scrollbar-width:thin;scrollbar-color:var(--agentstore-border) transparent}
.log{display:flex;flex-direction:column;gap:16px}
.older{display:flex;justify-content:center;padding-block-end:12px}
.message{display:grid;gap:6px;justify-items:start;max-inline-size:100%;border-radius:8px;outline-offset:4px}
.message.visitor{justify-items:end;padding-inline-start:44px}
.with-avatar{display:grid;grid-template-columns:28px minmax(0,1fr);gap:8px;align-items:end}
.with-avatar .avatar{inline-size:28px;block-size:28px;font-size:12px}
.bubble{min-inline-size:0;max-inline-size:100%;padding:10px 14px;border-radius:var(--agentstore-bubble-radius);overflow-wrap:anywhere}
.visitor .bubble{color:var(--agentstore-visitor-text);background:var(--agentstore-visitor-bubble);border-end-end-radius:6px;white-space:pre-wrap}
.agent .bubble{color:var(--agentstore-agent-text);background:var(--agentstore-agent-bubble);border-end-start-radius:6px}
.file{display:inline-flex;align-items:center;gap:8px;max-inline-size:100%;padding:6px 10px;border:1px solid var(--agentstore-line);border-radius:10px;font-size:13px}
.file b{font-weight:500;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.file span,.note{color:var(--agentstore-muted-text)}
.file>svg{flex:none;inline-size:16px;block-size:16px;color:var(--agentstore-muted-text)}
.note{display:flex;align-items:flex-start;gap:6px;font-size:13px;line-height:18px}
.note.bad{color:var(--agentstore-error)}
.note>svg{flex:none;inline-size:16px;block-size:16px;margin-block-start:1px}
.note .link{margin-inline-start:8px}
.actions{display:flex;flex-wrap:wrap;align-items:center;gap:2px;margin-block-start:-2px;font-size:13px;color:var(--agentstore-muted-text)}
.actions [aria-pressed=true]{color:var(--agentstore-link)}
.actions [aria-pressed=true] svg{fill:color-mix(in srgb,currentColor 25%,transparent)}
.reason{display:flex;gap:8px;inline-size:100%}
.reason input{outline-offset:-1px;flex:1;min-inline-size:0;block-size:36px;padding:0 12px;font-size:14px;border:1px solid var(--agentstore-border);border-radius:10px}
.reason button{flex:none;padding:0 12px;font-size:14px;font-weight:500;border-radius:10px;color:var(--agentstore-launcher-text);background:var(--agentstore-launcher)}
.fold{inline-size:100%;font-size:13px;line-height:18px;color:var(--agentstore-muted-text)}
.fold>button,.step>summary{display:flex;align-items:center;gap:6px;min-block-size:28px;padding:2px 6px;margin-inline-start:-6px}
.fold svg{flex:none;inline-size:16px;block-size:16px}
.turn{transition:rotate .15s}
[dir=rtl] .turn{scale:-1 1}
[aria-expanded=true]>.turn,[open]>summary>.turn{rotate:90deg}
[dir=rtl] [aria-expanded=true]>.turn,[dir=rtl] [open]>summary>.turn{rotate:-90deg}
.fold ul{margin-block-start:4px;padding-inline-start:8px;border-inline-start:2px solid var(--agentstore-line);display:grid;gap:4px}
.step>summary{margin:0;list-style:none}
.step>summary::-webkit-details-marker{display:none}
.step b{font-weight:500;color:var(--agentstore-text)}
.failed svg.state{color:var(--agentstore-error)}
.step h3{margin:6px 6px 2px;font-size:12px;font-weight:500}
.step pre{margin:0 6px;padding:8px 10px;max-block-size:160px;overflow:auto;border-radius:8px;background:color-mix(in srgb,var(--agentstore-text) 5%,transparent);color:var(--agentstore-text);font:12px/17px var(--agentstore-code-font);white-space:pre-wrap;overflow-wrap:anywhere}
.sources li>button{display:flex;align-items:baseline;gap:8px;inline-size:100%;min-block-size:28px;padding:4px 6px;color:var(--agentstore-text)}
.sources li>button:hover{background:color-mix(in srgb,var(--agentstore-text) 5%,transparent)}
.sources li>button span{color:var(--agentstore-muted-text);white-space:nowrap}
.sources blockquote{margin:2px 6px 6px;padding:8px 10px;max-block-size:200px;overflow:auto;border-radius:8px;background:color-mix(in srgb,var(--agentstore-text) 5%,transparent);color:var(--agentstore-text);white-space:pre-wrap;overflow-wrap:anywhere}
.cite{margin-inline:1px;padding:2px 6px;border-radius:6px;font-size:11.5px;font-weight:600;vertical-align:1px;cursor:pointer;color:var(--agentstore-link);background:var(--agentstore-surface);position:relative}
.cite::after{content:"";position:absolute;inset:-4px -2px}
.welcome{display:grid;justify-items:start;gap:16px;min-block-size:100%;align-content:end}
.welcome>.avatar{inline-size:56px;block-size:56px;font-size:22px}
.welcome>p{font-size:20px;line-height:28px;font-weight:600;letter-spacing:-.01em;text-wrap:balance}
.prompts{display:flex;flex-wrap:wrap;gap:8px}
.prompts button{padding:9px 14px;font-size:14px;line-height:20px;border:1px solid var(--agentstore-border);border-radius:18px;background:var(--agentstore-surface)}
.prompts button:hover{border-color:var(--agentstore-link);color:var(--agentstore-link)}
.latest{position:absolute;inset-block-end:12px;inset-inline:0;margin-inline:auto;inline-size:max-content;display:flex;align-items:center;gap:6px;padding:6px 14px 6px 10px;font-size:13px;font-weight:500;border-radius:18px;border:1px solid var(--agentstore-line);background:var(--agentstore-surface);box-shadow:0 4px 16px rgb(0 0 0/.12)}
.latest svg{inline-size:16px;block-size:16px}
.view{flex:1;min-block-size:0;display:flex;flex-direction:column;position:relative}
.dots{display:flex;gap:4px;padding:6px 0}
.dots i{inline-size:7px;block-size:7px;border-radius:50%;background:currentColor;opacity:.45}
.state.spin{color:var(--agentstore-link)}
@media (pointer:coarse){.prompts button,.reason input,.reason button,.fold>button,.step>summary,.sources li>button{min-block-size:44px}.reason input{outline-offset:-1px;font-size:16px}}
@media (prefers-reduced-motion:no-preference){.dots i{animation:blink 1.2s infinite}.dots i:nth-child(2){animation-delay:.15s}.dots i:nth-child(3){animation-delay:.3s}.spin{animation:spin 1s linear infinite}}
@keyframes blink{30%{opacity:1;transform:translateY(-2px)}60%{opacity:.45}}
@keyframes spin{to{transform:rotate(360deg)}}
@media (forced-colors:active){.bubble,.cite,.reason button{border:1px solid CanvasText}[aria-pressed=true]{border:2px solid Highlight}}
`;

/** Markdown in an answer. */
export const prose = `
.prose>*+*{margin-block-start:10px}
.prose :is(h3,h4,h5,h6){margin:0;font-size:1em;line-height:1.4;font-weight:600}
.prose h3{font-size:1.15em}
.prose>*+:is(h3,h4,h5,h6){margin-block-start:16px}
.prose ul,.prose ol{padding-inline-start:22px}
.prose ul{list-style:disc}.prose ol{list-style:decimal}
.prose li+li,.prose li>*+*,.prose li>:is(ul,ol){margin-block-start:4px}
.prose a{color:var(--agentstore-link);text-underline-offset:3px;text-decoration-thickness:1px;border-radius:3px}
.prose code{font:.88em/1.5 var(--agentstore-code-font);padding:1px 5px;border-radius:5px;background:color-mix(in srgb,var(--agentstore-text) 8%,transparent)}
.prose .code{position:relative;direction:ltr;text-align:left;border-radius:10px;overflow:hidden;background:color-mix(in srgb,var(--agentstore-text) 6%,transparent)}
.prose .code::before{content:attr(data-language);display:block;block-size:34px;padding:0 14px;font:12px/34px var(--agentstore-code-font);color:var(--agentstore-muted-text)}
.prose .code>button{position:absolute;inset-block-start:3px;inset-inline-end:4px;min-block-size:28px;padding:0 10px;font-size:12.5px;font-weight:500;color:var(--agentstore-muted-text)}
.prose .code>button:hover{color:var(--agentstore-text);background:color-mix(in srgb,var(--agentstore-text) 8%,transparent)}
.prose pre{padding:0 14px 12px;outline-offset:-2px;border-radius:10px}
.prose pre code{display:block;padding:0;background:none;font-size:13px;white-space:pre-wrap}
.prose blockquote{padding-inline-start:12px;border-inline-start:3px solid var(--agentstore-line);color:var(--agentstore-muted-text)}
.prose .table{overflow-x:auto;outline-offset:-2px}
.prose .task{list-style:none;margin-inline-start:-22px}
.prose table{border-collapse:collapse;font:inherit;font-size:14px;color:inherit;overflow-wrap:normal}
.prose th,.prose td{padding:6px 10px;border:1px solid var(--agentstore-line);text-align:start;vertical-align:top}
.prose th{font-weight:600}
.prose hr{block-size:1px;border:0;background:var(--agentstore-line)}
`;
