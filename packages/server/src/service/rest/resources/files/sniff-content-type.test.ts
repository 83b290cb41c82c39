import { describe, expect, it } from 'vitest';
import { sniffContentType } from './sniff-content-type.ts';

describe('content types by first bytes', () => {
  it.each([
    ['%PDF-1.4\n...', 'application/pdf'],
    ['hello world', 'text/plain'],
    ['a,b\n1,2\n', 'text/plain'],
    ['<!DOCTYPE html><html>', 'text/html'],
    ['<?xml version="1.0"?><a/>', 'application/xml'],
    ['\u0089PNG\r\n\u001a\n', 'image/png'],
    ['\u00ff\u00d8\u00ff\u00e0', 'image/jpeg'],
    ['GIF89a..', 'image/gif'],
    ['PK\u0003\u0004aaaa', 'application/zip'],
    ['\u0001\u0002\u0003\u0004', 'application/octet-stream'],
    ['', 'application/octet-stream'],
  ])('%j is %s', (content, type) => {
    expect(sniffContentType(Buffer.from(content, 'latin1'))).toBe(type);
  });
});
