"use strict";(()=>{var c=["/widget/assets/app.HV6KSEUG.js","/widget/assets/chunk.BLHKUUGY.js","/widget/assets/chunk.G3SUGA7S.js"];var M={ORIGIN_NOT_ALLOWED:"this site's origin is not among the allowed domains of the instance",WIDGET_NOT_FOUND:"there is no instance with this widget key"};function v(e,t,n){let i=!1,o=!1,s,a=new Promise(r=>s=r),d=()=>(!i&&!o&&(i=!0,n().then(u,r=>{i=!1,console.warn("AgentStore: the chat could not be loaded",r)})),a),u=r=>{if(o)return;let m=r.mount({root:t.root,options:e,launcher:t.launcher});m.on("error",({code:w})=>{let p=M[w];!p||o||(f.shutdown(),console.warn(`AgentStore: ${e.widgetKey} is not shown: ${p}`))}),s(m)},f={open:async()=>(await d()).open(),close:()=>{a.then(r=>r.close())},toggle:()=>{d().then(r=>r.toggle())},send:async r=>(await d()).send(r),on(r,m){let w=null,p=!0;return a.then(H=>p&&(w=H.on(r,m))),()=>{p=!1,w?.()}},identify:async r=>(await a).identify(r),reset:async()=>(await a).reset(),shutdown(){o||(o=!0,t.remove(),a.then(r=>r.shutdown()))}};t.launcher?.addEventListener("click",f.toggle);for(let r of["pointerenter","focus"])t.launcher?.addEventListener(r,d,{once:!0});return e.open?f.open():N(d),f}function N(e){if(navigator.connection?.saveData)return;let t=()=>{"requestIdleCallback"in window?requestIdleCallback(e,{timeout:5e3}):setTimeout(e,1e3)};document.readyState==="complete"?t():addEventListener("load",t,{once:!0})}var $={all:"initial",display:"block",position:"fixed","z-index":"2147483000",inset:"auto",width:"0",height:"0"};function y(e){let t=document.createElement("agent-store-widget");t.dataset.widgetKey=e;for(let[s,a]of Object.entries($))t.style.setProperty(s,a,"important");let n=t.attachShadow({mode:"open"}),i=()=>{t.parentNode!==document.documentElement&&document.documentElement.append(t),o.observe(document.documentElement,{childList:!0})},o=new MutationObserver(i);return o.observe(document,{childList:!0}),i(),addEventListener("pageshow",i),{root:n,remove(){o.disconnect(),removeEventListener("pageshow",i),t.remove()}}}var R=`
:host { color-scheme: light dark; }
.launcher {
  all: initial;
  box-sizing: border-box;
  position: fixed;
  inset-block-end: 20px;
  inset-inline-end: 20px;
  display: flex;
  align-items: center;
  gap: 8px;
  min-width: 56px;
  height: 56px;
  padding: 0 16px;
  border-radius: 28px;
  background: var(--agent-store-launcher-background, #1f2430);
  color: var(--agent-store-launcher-color, #fff);
  font: 600 15px/1 system-ui, sans-serif;
  box-shadow: 0 4px 16px rgb(0 0 0 / 0.25);
  cursor: pointer;
}
.launcher[data-position$='LEFT'] { inset-inline: 20px auto; }
.launcher[data-position^='TOP'] { inset-block: 20px auto; }
.launcher[hidden] { display: none; }
.launcher:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.launcher svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linejoin: round; }
@media (forced-colors: active) { .launcher { border: 2px solid ButtonText; } }
@media print { .launcher { display: none; } }
`;function b(e){let t=new CSSStyleSheet;t.replaceSync(R),e.adoptedStyleSheets=[t];let n=document.createElement("button");n.type="button",n.className="launcher",n.setAttribute("part","launcher"),n.setAttribute("aria-label","Chat"),n.setAttribute("aria-haspopup","dialog"),n.setAttribute("aria-expanded","false");let i=document.createElementNS("http://www.w3.org/2000/svg","svg");i.setAttribute("viewBox","0 0 24 24"),i.setAttribute("aria-hidden","true");let o=document.createElementNS("http://www.w3.org/2000/svg","path");return o.setAttribute("d","M4 5h16v11H10l-5 4v-4H4z"),i.append(o),n.append(i),e.append(n),n}var g=new Map;function x(e,t){let{widgetKey:n}=e,i=g.get(n);if(i)return i;let o=y(n),s=e.hideLauncher?null:b(o.root),a=v(e,{root:o.root,launcher:s,remove(){g.delete(n),o.remove()}},t);return g.set(n,a),a}function A(e){return e?g.get(e):g.values().next().value}var P=document.currentScript??document.querySelector("script[data-widget-key], script[data-instance]"),h=window.AgentStore,l=h?.loaded?h:B;l!==h&&(l.loaded=!0,window.AgentStore=l);var{widgetKey:S,instance:k,store:L,language:W,open:j,hideLauncher:q,colorScheme:E}=P?.dataset??{};(S??k)&&l("boot",{widgetKey:S??k,...L&&{store:L},...W&&{language:W},...E&&{colorScheme:E},open:O(j),hideLauncher:O(q)});if(l!==h)for(let e of h?.q??[])l(...Array.from(e));function B(e,...t){if(e==="boot"){let s=t[0],a=s.store??new URL(P?.src??location.href).origin,d=()=>Promise.all(c.map(u=>import(`${a}${u}`))).then(([u])=>u);return x({...s,store:a},d)}let[n,i]=e.split(".").reverse(),o=A(i??null);return!o||!Object.hasOwn(o,n)?console.warn(`AgentStore: nothing can do ${e}`):o[n](...t)}function O(e){return e!==void 0&&e!=="false"}})();
