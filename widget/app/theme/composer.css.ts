/** What the visitor writes with, and the notices above it. */
export const composer = `
.notice{flex:none;display:flex;align-items:flex-start;gap:8px;margin:0 12px 8px;padding:9px 12px;border-radius:12px;font-size:13px;line-height:18px;background:color-mix(in srgb,var(--agentstore-text) 6%,transparent)}
.notice svg{flex:none;inline-size:16px;block-size:16px;margin-block-start:1px}
.notice.bad svg{color:var(--agentstore-error)}
.notice span{flex:1}
.composer{flex:none;padding:0 12px 10px}
.box{display:flex;align-items:flex-end;gap:4px;padding:5px;border:1px solid var(--agentstore-border);border-radius:calc(var(--agentstore-bubble-radius) + 6px);background:var(--agentstore-surface)}
.box:focus-within{border-color:var(--agentstore-focus-ring);box-shadow:0 0 0 1px var(--agentstore-focus-ring)}
.box[data-shut]{border-color:var(--agentstore-line);background:color-mix(in srgb,var(--agentstore-text) 4%,var(--agentstore-surface))}
.composer>.note{padding:0 8px 8px}
.box .icon-button{border-radius:50%}
.grow{flex:1;min-inline-size:0;display:grid;max-block-size:144px;overflow-y:auto;scrollbar-width:thin}
.grow::after{content:attr(data-text) " ";visibility:hidden}
.grow::after,.grow textarea{grid-area:1/1;min-inline-size:0;padding:6px 4px;font:inherit;line-height:24px;white-space:pre-wrap;overflow-wrap:anywhere}
.grow textarea{resize:none;overflow:hidden;inline-size:100%;outline:0;border-radius:0}
.grow textarea::placeholder{color:var(--agentstore-muted-text);opacity:1}
.send.icon-button{color:var(--agentstore-launcher-text);background:var(--agentstore-launcher)}
.send.icon-button:hover{filter:brightness(1.08)}
.send[aria-disabled=true].icon-button{color:var(--agentstore-muted-text);background:color-mix(in srgb,var(--agentstore-text) 8%,transparent);filter:none}
[dir=rtl] .mirror{transform:scaleX(-1)}
.files{display:flex;flex-wrap:wrap;gap:6px;padding-block-end:8px}
.files .icon-button{inline-size:24px;block-size:24px;margin:-4px -6px -4px 0;margin-inline:0 -6px}
.print{display:flex;justify-content:space-between;gap:12px;padding:7px 8px 0;font-size:11.5px;line-height:15px;color:var(--agentstore-muted-text)}
.print span+span{white-space:nowrap}
.print .bad{color:var(--agentstore-error)}
@media (pointer:coarse){.grow{font-size:16px}.grow::after,.grow textarea{padding-block:10px}}
@media (forced-colors:active){.box:focus-within{outline:2px solid Highlight}.send.icon-button,.notice{border:1px solid CanvasText}}
`;
