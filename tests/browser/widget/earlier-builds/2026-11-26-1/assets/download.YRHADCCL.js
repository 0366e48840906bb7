function d(r,{words:n,name:t}){let a=r.map(o=>{if(o.role==="visitor")return`**${n.youSaid}**

${o.text}`;let s=o.citations.map(({number:i,documentName:e,page:c})=>`- [${i}] ${e}${c===null?"":`, ${n.page(c)}`}`);return[`**${n.agentSaid(t)}**`,o.text,s.join(`
`)].filter(Boolean).join(`

`)});return`# ${t}

${a.join(`

---

`)}
`}var l=(r,{name:n})=>`${JSON.stringify({agent:n,messages:r.map(t=>t.role==="visitor"?{role:t.role,text:t.text,state:t.state}:{role:t.role,text:t.text,state:t.state,runId:t.runId,citations:t.citations,rating:t.rating})},null,2)}
`;var p={markdown:{write:d,type:"text/markdown;charset=utf-8",ending:"md"},json:{write:l,type:"application/json",ending:"json"}};function f(r,n,t){let{write:a,type:o,ending:s}=p[r],i=URL.createObjectURL(new Blob([a(n,t)],{type:o})),e=document.createElement("a");e.href=i,e.download=`${t.name.replace(/[^\p{L}\p{N}]+/gu,"-")}.${s}`,e.click(),setTimeout(()=>URL.revokeObjectURL(i),0)}export{f as downloadTranscript};
