// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { drawn, html } from './testing/drawn.ts';

/** Cases of CommonMark's and GFM's rules, in our own words; `→` is a tab. Headings start at h3, and addresses are absolute. */
const cases: readonly (readonly [markdown: string, html: string])[] = [
  // Paragraphs and breaks
  ['one\ntwo\n\nthree', '<p>one\ntwo</p><p>three</p>'],
  ['  one\n    two', '<p>one\ntwo</p>'],
  ['one  \ntwo', '<p>one<br>\ntwo</p>'],
  ['one\\\ntwo', '<p>one<br>\ntwo</p>'],
  ['one\r\ntwo\r\n\r\nthree', '<p>one\ntwo</p><p>three</p>'],
  // Headings
  ['# one', '<h3>one</h3>'],
  ['## two ##', '<h4>two</h4>'],
  ['### three#', '<h5>three#</h5>'],
  ['#### four\n##### five\n###### six', '<h6>four</h6><h6>five</h6><h6>six</h6>'],
  ['####### seven', '<p>####### seven</p>'],
  ['#hash', '<p>#hash</p>'],
  ['#', '<h3></h3>'],
  ['one\ntwo\n===', '<h3>one\ntwo</h3>'],
  ['one\n---', '<h4>one</h4>'],
  ['one\n\n---', '<p>one</p><hr>'],
  // Rules
  ['***', '<hr>'],
  [' - - -', '<hr>'],
  ['_____', '<hr>'],
  ['--', '<p>--</p>'],
  ['* a\n* * *\n* b', '<ul><li>a</li></ul><hr><ul><li>b</li></ul>'],
  // Code
  ['```js\nlet a = 1;\n```', '<pre><code>let a = 1;\n</code></pre>'],
  ['~~~\n```\n~~~', '<pre><code>```\n</code></pre>'],
  ['````\n```\n````', '<pre><code>```\n</code></pre>'],
  ['```\nopen', '<pre><code>open\n</code></pre>'],
  ['  ```\n  a\n    b\n  ```', '<pre><code>a\n  b\n</code></pre>'],
  ['```\n\tmake:\n```', '<pre><code>\tmake:\n</code></pre>'],
  ['``` a`b\nc', '<p>``` a`b\nc</p>'],
  ['    a\n\n      b\n\nc', '<pre><code>a\n\n  b\n</code></pre><p>c</p>'],
  ['\ta\tb', '<pre><code>a\tb\n</code></pre>'],
  ['a\n```\nb\n```\nc', '<p>a</p><pre><code>b\n</code></pre><p>c</p>'],
  ['`a`', '<p><code>a</code></p>'],
  ['`` a ` b ``', '<p><code>a ` b</code></p>'],
  ['` `` `', '<p><code>``</code></p>'],
  ['`a\nb`', '<p><code>a b</code></p>'],
  ['`a\\`b`', '<p><code>a\\</code>b`</p>'],
  ['``a`', '<p>``a`</p>'],
  ['*a`*`', '<p>*a<code>*</code></p>'],
  // Quotes
  ['> a\n> b', '<blockquote><p>a\nb</p></blockquote>'],
  ['>a\nb', '<blockquote><p>a\nb</p></blockquote>'],
  ['> a\n\n> b', '<blockquote><p>a</p></blockquote><blockquote><p>b</p></blockquote>'],
  ['> a\n---', '<blockquote><p>a</p></blockquote><hr>'],
  ['> > a\nb', '<blockquote><blockquote><p>a\nb</p></blockquote></blockquote>'],
  ['> ```\na', '<blockquote><pre><code></code></pre></blockquote><p>a</p>'],
  // Lists
  ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
  ['- a\n\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>'],
  ['- a\n  b\nc', '<ul><li>a\nb\nc</li></ul>'],
  ['- a\n  - b\n    - c', '<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>'],
  ['- a\n\n  b', '<ul><li><p>a</p><p>b</p></li></ul>'],
  ['- a\n  - b\n\n    c\n- d', '<ul><li>a<ul><li><p>b</p><p>c</p></li></ul></li><li>d</li></ul>'],
  ['- a\n+ b', '<ul><li>a</li></ul><ul><li>b</li></ul>'],
  ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'],
  ['3) a\n4) b', '<ol start="3"><li>a</li><li>b</li></ol>'],
  ['0. a', '<ol start="0"><li>a</li></ol>'],
  ['1. a\n1) b', '<ol><li>a</li></ol><ol><li>b</li></ol>'],
  ['1234567890. a', '<p>1234567890. a</p>'],
  ['a\n2. b', '<p>a\n2. b</p>'],
  ['a\n1. b', '<p>a</p><ol><li>b</li></ol>'],
  ['a\n-\nb', '<h4>a</h4><p>b</p>'],
  ['-\n  a', '<ul><li>a</li></ul>'],
  ['-\n\n  a', '<ul><li></li></ul><p>a</p>'],
  ['- a\n-\n- b', '<ul><li>a</li><li></li><li>b</li></ul>'],
  ['-   a\n\n    b', '<ul><li><p>a</p><p>b</p></li></ul>'],
  ['-     a', '<ul><li><pre><code>a\n</code></pre></li></ul>'],
  ['- ```\n  a\n\n\n  ```\n- b', '<ul><li><pre><code>a\n\n\n</code></pre></li><li>b</li></ul>'],
  ['- a\n  > b\n  >\n- c', '<ul><li>a<blockquote><p>b</p></blockquote></li><li>c</li></ul>'],
  ['* # a\n* ---', '<ul><li><h3>a</h3></li><li><hr></li></ul>'],
  ['1. > a\nb', '<ol><li><blockquote><p>a\nb</p></blockquote></li></ol>'],
  ['-\ta\n\n\tb', '<ul><li><p>a</p><p>b</p></li></ul>'],
  ['-a', '<p>-a</p>'],
  // Task lists
  ['- [ ] a\n- [x] b', '<ul><li class="task">☐ a</li><li class="task">☑ b</li></ul>'],
  ['- [ ]a', '<ul><li>[ ]a</li></ul>'],
  // Tables
  [
    'a | b\n-|-\n1 | 2',
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
  ],
  [
    '| a |\n|---|\n| `\\|` |',
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td><code>|</code></td></tr></tbody></table>',
  ],
  [
    'p\n| a |\n|---|\n\nq',
    '<p>p</p><table><thead><tr><th>a</th></tr></thead><tbody></tbody></table><p>q</p>',
  ],
  ['| a | b |\n|---|', '<p>| a | b |\n|---|</p>'],
  [
    '|a|b|\n|-|-|\n|1|\n|1|2|3|',
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td></tr><tr><td>1</td><td>2</td></tr></tbody></table>',
  ],
  [
    '|a|\n|-|\n> b',
    '<table><thead><tr><th>a</th></tr></thead><tbody></tbody></table><blockquote><p>b</p></blockquote>',
  ],
  // Emphasis
  [
    '*a* _b_ **c** __d__ ***e***',
    '<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <em><strong>e</strong></em></p>',
  ],
  ['a * b *', '<p>a * b *</p>'],
  ['snake_case_name', '<p>snake_case_name</p>'],
  ['5*6*78', '<p>5<em>6</em>78</p>'],
  ['*(**a**)*', '<p><em>(<strong>a</strong>)</em></p>'],
  ['**a*', '<p>*<em>a</em></p>'],
  ['*a**b**c*', '<p><em>a<strong>b</strong>c</em></p>'],
  ['a**b*c**', '<p>a<strong>b*c</strong></p>'],
  ['*a _b* c_', '<p><em>a _b</em> c_</p>'],
  ['**a', '<p>**a</p>'],
  ['\\*a\\*', '<p>*a*</p>'],
  ['&#42;a&#42;', '<p>*a*</p>'],
  ['пре_сам_', '<p>пре_сам_</p>'],
  ['~~a~~ ~b~', '<p><del>a</del> <del>b</del></p>'],
  ['~~~a~~~ b', '<pre><code></code></pre>'],
  ['~~a~', '<p>~~a~</p>'],
  // Links
  ['[a](https://b.example/c)', '<p><a href="https://b.example/c">a</a></p>'],
  ['[a](<https://b.example/c d> "t")', '<p><a href="https://b.example/c%20d">a</a></p>'],
  ["[a](https://b.example/ 't(')", '<p><a href="https://b.example/">a</a></p>'],
  ['[a](https://b.example/(c))', '<p><a href="https://b.example/(c)">a</a></p>'],
  ['[a](https://b.example/\\))', '<p><a href="https://b.example/)">a</a></p>'],
  ['[*a* `]`](https://b.example/)', '<p><a href="https://b.example/"><em>a</em> <code>]</code></a></p>'],
  ['*[a*](https://b.example/)', '<p>*<a href="https://b.example/">a*</a></p>'],
  [
    '[a [b](https://b.example/) c](https://c.example/)',
    '<p>[a <a href="https://b.example/">b</a> c](<a href="https://c.example/">https://c.example/</a>)</p>',
  ],
  ['[a] (https://b.example/)', '<p>[a] (<a href="https://b.example/">https://b.example/</a>)</p>'],
  ['[a](/path)', '<p>a</p>'],
  [
    '[a](mailto:b@c.example) [d](tel:+4912)',
    '<p><a href="mailto:b@c.example">a</a> <a href="tel:+4912">d</a></p>',
  ],
  [
    '<https://b.example/?a=1&b=2>',
    '<p><a href="https://b.example/?a=1&amp;b=2">https://b.example/?a=1&amp;b=2</a></p>',
  ],
  ['<b@c.example>', '<p><a href="mailto:b@c.example">b@c.example</a></p>'],
  [
    'see https://b.example/c_d_e, or (www.c.example).',
    '<p>see <a href="https://b.example/c_d_e">https://b.example/c_d_e</a>, or (<a href="https://www.c.example/">www.c.example</a>).</p>',
  ],
  ['https://b.example/(c)', '<p><a href="https://b.example/(c)">https://b.example/(c)</a></p>'],
  ['**https://b.example/**', '<p><strong><a href="https://b.example/">https://b.example/</a></strong></p>'],
  ['b.c@d.example!', '<p><a href="mailto:b.c@d.example">b.c@d.example</a>!</p>'],
  ['[https://a.example](https://b.example/)', '<p><a href="https://b.example/">https://a.example</a></p>'],
  // Images are links
  ['![a *b*](https://b.example/c.png)', '<p><a href="https://b.example/c.png">a b</a></p>'],
  ['![](https://b.example/c.png)', '<p><a href="https://b.example/c.png">https://b.example/c.png</a></p>'],
  ['[![a](https://b.example/c.png)](https://d.example/)', '<p><a href="https://d.example/">a</a></p>'],
  ['![a [b](https://c.example/)](https://d.example/)', '<p><a href="https://d.example/">a b</a></p>'],
  // References are none: their definitions would change what was read
  [
    '[a][b]\n\n[b]: https://c.example/',
    '<p>[a][b]</p><p>[b]: <a href="https://c.example/">https://c.example/</a></p>',
  ],
  // Citations
  ['so [1], [2][3].', '<p>so <button>1</button>, <button>2</button><button>3</button>.</p>'],
  ['[1](https://b.example/) [10] [0] [x]', '<p><a href="https://b.example/">1</a> [10] [0] [x]</p>'],
  ['[[1]](https://b.example/)', '<p><a href="https://b.example/">[1]</a></p>'],
  ['**so [1]** `[1]` \\[1]', '<p><strong>so <button>1</button></strong> <code>[1]</code> [1]</p>'],
  // Text
  [
    '&amp; &lt; &copy; &#65; &#x42; &#0; &nosuch; &amp',
    '<p>&amp; &lt; © A B \ufffd &amp;nosuch; &amp;amp</p>',
  ],
  ['<b>a</b> <img src=x>', '<p>&lt;b&gt;a&lt;/b&gt; &lt;img src=x&gt;</p>'],
  ['<div>\n*a*\n</div>', '<p>&lt;div&gt;\n<em>a</em>\n&lt;/div&gt;</p>'],
  ['\\a \\\\ \\', '<p>\\a \\ \\</p>'],
  ['', ''],
  ['\n \n', ''],
];

it.each(cases)('%j', (markdown, expected) => {
  expect(html(drawn(markdown))).toBe(expected);
});
