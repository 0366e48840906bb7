type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };

/**
 * Says how many, in the grammar of `locale`: `#` in the form is the number, in that locale's digits. Its rules are made when something is counted first: a
 * browser takes some milliseconds for them, which the start of the page has not.
 */
export function counted(locale: string, forms: Forms): (count: number) => string {
  let rules: Intl.PluralRules | undefined;
  let digits: Intl.NumberFormat | undefined;
  return (count) => {
    rules ??= new Intl.PluralRules(locale);
    digits ??= new Intl.NumberFormat(locale);
    return (forms[rules.select(count)] ?? forms.other).replace('#', digits.format(count));
  };
}
