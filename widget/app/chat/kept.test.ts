import { describe, expect, it } from 'vitest';
import { openDemoBrowser } from '../testing/demo-browser.ts';
import { keptFor } from './kept.ts';
import { openOutbox } from './outbox.ts';

const message = (key: string) => ({ key, text: `text of ${key}`, conversationId: null });

describe('what is kept', () => {
  it('is kept for each widget key, and shared by tabs', () => {
    const browser = openDemoBrowser();
    const [one, same, other] = ['wk_1', 'wk_1', 'wk_2'].map((key) => keptFor(key, browser.tab()));
    one!.keepHandle('h');
    one!.keepConversationId('c');
    openOutbox(one!).add(message('a'));
    openOutbox(same!).add(message('b'));
    expect([same!.handle(), same!.conversationId()]).toEqual(['h', 'c']);
    expect(one!.outbox().map(({ key }) => key)).toEqual(['a', 'b']);
    expect([other!.handle(), other!.conversationId(), other!.outbox()]).toEqual([null, null, []]);
    one!.keepHandle(null);
    one!.keepConversationId(null);
    openOutbox(one!).remove('a');
    openOutbox(one!).remove('b');
    expect(browser.stored.size).toBe(0);
  });

  it('survives that storage stops working, and that it works again', () => {
    const browser = openDemoBrowser();
    const kept = keptFor('wk_1', browser.tab());
    kept.keepHandle('old');
    browser.storageFails = true;
    kept.keepHandle('new');
    expect(kept.handle()).toBe('new');
    browser.storageFails = false;
    expect(kept.handle()).toBe('new');
    kept.keepHandle('newer');
    expect(browser.stored.get('agentstore:wk_1:handle')).toBe('newer');
  });

  it.each(['{', 'null', '7', '[1, null, {"key":"k"}]', '[{"key":"k","text":1,"conversationId":null}]'])(
    'is not trusted: %s',
    (found) => {
      const browser = openDemoBrowser();
      browser.stored.set('agentstore:wk_1:outbox', found);
      expect(keptFor('wk_1', browser.tab()).outbox()).toEqual([]);
    },
  );
});
