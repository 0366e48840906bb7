/** Root fields that are open to visitors of a widget (widget/PROTOCOL.md §3). */
const openFields = new Set([
  'runStart',
  'runCancel',
  'runRate',
  'run',
  'conversation',
  'visitorConversations',
  'runEvents',
  '__typename',
]);

export const isOpenToVisitors = (rootField: string): boolean => openFields.has(rootField);
