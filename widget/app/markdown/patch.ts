/** Makes an old node what a new one is, in place as far as they are alike; answers the one that stands there now. */
export function patch(old: ChildNode, next: ChildNode): ChildNode {
  if (old.isEqualNode(next)) return old;
  if (old instanceof Text && next instanceof Text) old.data = next.data;
  else if (old.cloneNode().isEqualNode(next.cloneNode())) {
    const before = [...old.childNodes];
    const after = [...next.childNodes];
    for (const [index, child] of after.entries())
      if (before[index]) patch(before[index], child);
      else old.appendChild(child);
    for (const child of before.slice(after.length)) child.remove();
  } else {
    old.replaceWith(next);
    return next;
  }
  return old;
}
