/** The panel, its head, menu, earlier conversations, and the launcher's badge. */
export const panel = `
.panel{position:fixed;inset:auto;z-index:var(--agentstore-z-index);display:flex;flex-direction:column;margin:0;padding:0;inline-size:min(var(--agentstore-panel-width),100vw - 2*var(--agentstore-offset));block-size:min(var(--agentstore-panel-height),100dvh - 2*var(--agentstore-offset) - var(--_launcher,0px));max-inline-size:none;max-block-size:none;overflow:hidden;color:var(--agentstore-text);background:var(--agentstore-surface);border:0;border-radius:var(--agentstore-radius);box-shadow:var(--agentstore-shadow)}
.panel[data-launcher]{--_launcher:72px}
.panel[data-position^=BOTTOM]{bottom:calc(var(--agentstore-offset) + var(--_launcher,0px))}
.panel[data-position^=TOP]{top:calc(var(--agentstore-offset) + var(--_launcher,0px))}
.panel[data-position$=RIGHT]{right:var(--agentstore-offset)}
.panel[data-position$=LEFT]{left:var(--agentstore-offset)}
.panel[data-shape=inline]{position:relative;inset:auto;z-index:0;inline-size:100%;block-size:100%;box-shadow:inset 0 0 0 1px var(--agentstore-line)}
.panel[data-shape=full]{inset:var(--_top,0) 0 auto;inline-size:100%;block-size:var(--_height,100dvh);border-radius:0;box-shadow:none;padding:env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left)}
.head{flex:none;display:flex;align-items:center;gap:12px;padding:12px 12px 12px 16px;padding-inline:16px 12px;border-block-end:1px solid var(--agentstore-line)}
.head>div{flex:1;min-inline-size:0}
.head h2{font-size:15px;font-weight:600;line-height:20px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.head p{font-size:12.5px;line-height:17px;color:var(--agentstore-muted-text);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.head nav{display:flex;gap:2px;position:relative}
.menu{position:absolute;z-index:2;inset-block-start:calc(100% + 6px);inset-inline-end:0;min-inline-size:220px;padding:6px;background:var(--agentstore-surface);border:1px solid var(--agentstore-line);border-radius:12px;box-shadow:0 8px 28px rgb(0 0 0/.16)}
.menu button{display:flex;align-items:center;gap:10px;inline-size:100%;min-block-size:36px;padding:6px 10px;white-space:nowrap}
.menu svg{color:var(--agentstore-muted-text);inline-size:18px;block-size:18px}
.menu button:hover,.menu button:focus-visible,.past button:hover{background:color-mix(in srgb,var(--agentstore-text) 7%,transparent)}
.menu button:focus-visible{outline-offset:-2px}
.talk{flex:1;min-block-size:0;display:flex;flex-direction:column}
.page{flex:1;min-block-size:0;overflow-y:auto;overscroll-behavior:contain;padding:12px}
.past button{inline-size:100%;display:grid;gap:2px;padding:10px 12px;border-radius:12px}
.past b{font-weight:500;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.past time,.empty{font-size:12.5px;color:var(--agentstore-muted-text)}
.empty{padding:24px 12px;text-align:center}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:20px;block-size:20px;padding:0 6px;border-radius:10px;font:600 12px/20px var(--agentstore-font);text-align:center;color:var(--agentstore-surface);background:var(--agentstore-error)}
.drop{position:absolute;z-index:3;inset:8px;display:grid;place-items:center;border:2px dashed var(--agentstore-focus-ring);border-radius:12px;background:color-mix(in srgb,var(--agentstore-surface) 92%,transparent);font-weight:500;pointer-events:none}
@media (pointer:coarse){.menu button{min-block-size:44px}}
@media (prefers-reduced-motion:no-preference){.panel{animation:rise .2s cubic-bezier(.2,.8,.2,1)}}
@keyframes rise{from{opacity:0;transform:translateY(10px)}}
@media (forced-colors:active){.panel{border:1px solid CanvasText}.badge,.avatar{border:1px solid CanvasText}}
`;
