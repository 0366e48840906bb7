import { expect, test } from 'vitest';
import { detectLanguage } from './detect-language.ts';

test.each([
  [
    'english',
    'You may send the goods back within thirty days, and we pay for the label if it is above the limit.',
  ],
  [
    'german',
    'Sie können die Ware innerhalb von vierzehn Tagen ohne Angabe von Gründen zurückgeben, und wir zahlen das Porto.',
  ],
  [
    'french',
    'Vous disposez de trente jours pour nous renvoyer un article, et le remboursement est versé sous cinq jours.',
  ],
  [
    'spanish',
    'Los clientes que no están contentos con el producto pueden devolver la compra en una tienda de su ciudad.',
  ],
  ['simple', 'TN-204 | 48 | 53 | 58 | E07 | E11 | E21'],
  ['simple', 'Il prodotto deve essere restituito entro trenta giorni dalla consegna'],
])('%s', (language, text) => {
  expect(detectLanguage(text)).toBe(language);
});
