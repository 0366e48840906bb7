function o(r,t){let n=new Intl.PluralRules(r),l=new Intl.NumberFormat(r);return e=>(t[n.select(e)]??t.other).replace("#",l.format(e))}export{o as a};
