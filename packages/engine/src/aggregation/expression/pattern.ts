/** PCRE patterns, MongoDB's dialect, as JavaScript regular expressions where the two agree. */

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  graph: '\\x21-\\x7e',
  print: '\\x20-\\x7e',
};

/**
 * A regular expression for a pattern with MongoDB's flags `i`, `m`, `s`, `x`, `u`.
 *
 * @throws SyntaxError when JavaScript cannot express the pattern
 */
export function compilePattern(pattern: string, options: string, extraFlags = ''): RegExp {
  let flags = options;
  let source = pattern;
  const inline = /^\(\?([imsx]+)\)/.exec(source);
  if (inline !== null) {
    flags += inline[1];
    source = source.slice(inline[0].length);
  }
  source = translate(source, flags.includes('x'));
  const jsFlags = [...new Set([...flags].filter((flag) => 'ims'.includes(flag)))].join('');
  try {
    return new RegExp(source, `${jsFlags}u${extraFlags}`);
  } catch {
    // Unicode mode refuses needless escapes such as `\-`, which PCRE takes
    return new RegExp(source, `${jsFlags}${extraFlags}`);
  }
}

function translate(source: string, extended: boolean): string {
  let result = '';
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const character = source[i] as string;
    if (character === '\\') {
      result += translateEscape(source[i + 1]);
      i++;
    } else if (inClass) {
      const posix = /^\[:(\^?)(\w+):\]/.exec(source.slice(i, i + 12));
      if (posix !== null && posix[1] === '' && POSIX_CLASSES[posix[2] as string] !== undefined) {
        result += POSIX_CLASSES[posix[2] as string];
        i += posix[0].length - 1;
      } else {
        if (character === ']') inClass = false;
        result += character === '[' ? '\\[' : character;
      }
    } else if (character === '[') {
      inClass = true;
      result += character;
      if (source[i + 1] === '^') result += source[++i];
      if (source[i + 1] === ']') {
        result += '\\]';
        i++;
      }
    } else if (extended && /\s/.test(character)) {
      // free spacing
    } else if (extended && character === '#') {
      while (i + 1 < source.length && source[i + 1] !== '\n') i++;
    } else if (character === '(' && source.startsWith('(?P<', i)) {
      result += '(?<';
      i += 3;
    } else {
      result += character;
    }
  }
  return result;
}

function translateEscape(next: string | undefined): string {
  switch (next) {
    case 'A':
      return '(?<![\\s\\S])';
    case 'z':
      return '(?![\\s\\S])';
    case 'Z':
      return '(?=\\n?(?![\\s\\S]))';
    case 'h':
      return '[ \\t]';
    case 'a':
      return '\\x07';
    case 'e':
      return '\\x1b';
    case undefined:
      return '\\';
    default:
      return `\\${next}`;
  }
}
