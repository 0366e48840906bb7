"use strict";(()=>{var c=["/widget/assets/app.HGCF2YXG.js","/widget/assets/chunk.BLHKUUGY.js","/widget/assets/chunk.O52BIRPC.js"];var M={"refused-origin":"this site's origin is not among the allowed domains of the instance","not-found":"there is no instance with this widget key"};function v(e,t,o){let i=!1,n=!1,s,a=new Promise(r=>s=r),d=()=>(!i&&!n&&(i=!0,o().then(u,r=>{i=!1,console.warn("AgentStore: the chat could not be loaded",r)})),a),u=r=>{if(n)return;let m=r.mount({root:t.root,options:e,launcher:t.launcher});m.on("error",({code:w})=>{let p=M[w];!p||n||(f.shutdown(),console.warn(`AgentStore: ${e.widgetKey} is not shown: ${p}`))}),s(m)},f={open:async()=>(await d()).open(),close:()=>{a.then(r=>r.close())},toggle:()=>{d().then(r=>r.toggle())},send:async r=>(await d()).send(r),on(r,m){let w=null,p=!0;return a.then(H=>p&&(w=H.on(r,m))),()=>{p=!1,w?.()}},identify:async r=>(await a).identify(r),reset:async()=>(await a).reset(),shutdown(){n||(n=!0,t.remove(),a.then(r=>r.shutdown()))}};t.launcher?.addEventListener("click",f.toggle);for(let r of["pointerenter","focus"])t.launcher?.addEventListener(r,d,{once:!0});return e.open?f.open():R(d),f}function R(e){if(navigator.connection?.saveData)return;let t=()=>{"requestIdleCallback"in window?requestIdleCallback(e,{timeout:5e3}):setTimeout(e,1e3)};document.readyState==="complete"?t():addEventListener("load",t,{once:!0})}var j={all:"initial",display:"block",position:"fixed","z-index":"2147483000",inset:"auto",width:"0",height:"0"};function y(e){let t=document.createElement("agent-store-widget");t.dataset.widgetKey=e;for(let[s,a]of Object.entries(j))t.style.setProperty(s,a,"important");let o=t.attachShadow({mode:"open"}),i=()=>{t.parentNode!==document.documentElement&&document.documentElement.append(t),n.observe(document.documentElement,{childList:!0})},n=new MutationObserver(i);return n.observe(document,{childList:!0}),i(),addEventListener("pageshow",i),{root:o,remove(){n.disconnect(),removeEventListener("pageshow",i),t.remove()}}}var B=`
:host { color-scheme: light dark; }
.launcher {
  all: initial;
  box-sizing: border-box;
  position: fixed;
  bottom: var(--agentstore-offset, 20px);
  right: var(--agentstore-offset, 20px);
  display: flex;
  align-items: center;
  gap: 8px;
  min-width: 56px;
  height: 56px;
  padding: 0 16px;
  border-radius: 28px;
  background: var(--agentstore-launcher, #1f2430);
  color: var(--agentstore-launcher-text, #fff);
  font: 600 15px/1.2 var(--agentstore-font, system-ui, sans-serif);
  box-shadow: 0 4px 16px rgb(0 0 0 / 0.25);
  cursor: pointer;
}
.launcher[data-position$='LEFT'] { right: auto; left: var(--agentstore-offset, 20px); }
.launcher[data-position^='TOP'] { top: var(--agentstore-offset, 20px); bottom: auto; }
.launcher[hidden] { display: none; }
.launcher:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.launcher svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linejoin: round; }
@media (forced-colors: active) { .launcher { border: 2px solid ButtonText; } }
@media print { .launcher { display: none; } }
`;function b(e){let t=new CSSStyleSheet;t.replaceSync(B),e.adoptedStyleSheets=[t];let o=document.createElement("button");o.type="button",o.className="launcher",o.setAttribute("part","launcher"),o.setAttribute("aria-label","Chat"),o.setAttribute("aria-haspopup","dialog"),o.setAttribute("aria-expanded","false");let i=document.createElementNS("http://www.w3.org/2000/svg","svg");i.setAttribute("viewBox","0 0 24 24"),i.setAttribute("aria-hidden","true");let n=document.createElementNS("http://www.w3.org/2000/svg","path");return n.setAttribute("d","M4 5h16v11H10l-5 4v-4H4z"),i.append(n),o.append(i),e.append(o),o}var g=new Map;function x(e,t){let{widgetKey:o}=e,i=g.get(o);if(i)return i;let n=y(o),s=e.hideLauncher?null:b(n.root),a=v(e,{root:n.root,launcher:s,remove(){g.delete(o),n.remove()}},t);return g.set(o,a),a}function S(e){return e?g.get(e):g.values().next().value}var P=document.currentScript??document.querySelector("script[data-widget-key], script[data-instance]"),h=window.AgentStore,l=h?.loaded?h:q;l!==h&&(l.loaded=!0,window.AgentStore=l);var{widgetKey:k,instance:A,store:W,language:L,open:C,hideLauncher:$,colorScheme:E}=P?.dataset??{};(k??A)&&l("boot",{widgetKey:k??A,...W&&{store:W},...L&&{language:L},...E&&{colorScheme:E},open:O(C),hideLauncher:O($)});if(l!==h)for(let e of h?.q??[])l(...Array.from(e));function q(e,...t){if(e==="boot"){let s=t[0],a=s.store??new URL(P?.src??location.href).origin,d=()=>Promise.all(c.map(u=>import(`${a}${u}`))).then(([u])=>u);return x({...s,store:a},d)}let[o,i]=e.split(".").reverse(),n=S(i??null);return!n||!Object.hasOwn(n,o)?console.warn(`AgentStore: nothing can do ${e}`):n[o](...t)}function O(e){return e!==void 0&&e!=="false"}})();
