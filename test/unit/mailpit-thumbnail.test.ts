import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { decodePicture, thumbnail, WIDTH, HEIGHT } from '../../src/http/compatible/mailpit/picture.ts';
import { startHttp } from './http-harness.ts';

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

function picture(width: number, height: number, colour: (x: number, y: number) => Colour) {
  const data = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * 4);
  return { width, height, data };
}

const pngOf = ({ width, height, data }: ReturnType<typeof picture>): Buffer =>
  PNG.sync.write(Object.assign(new PNG({ width, height }), { data }));

function at(octets: Uint8Array, x: number, y: number): number[] {
  const { width, height, data } = jpeg.decode(octets, { useTArray: true });
  expect([width, height]).toEqual([WIDTH, HEIGHT]);
  return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}

/** JPEG changes colours a little. */
const near = (found: number[], wanted: readonly number[]): void => {
  for (const [i, value] of wanted.slice(0, 3).entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(12);
};

const RED: Colour = [200, 10, 10, 255];
const BLUE: Colour = [10, 10, 200, 255];
const WHITE = [255, 255, 255];

test('a large one is cut to the shape, at its middle', () => {
  const made = thumbnail(decodePicture(pngOf(picture(900, 300, (x) => (x < 300 || x > 600 ? RED : BLUE)))));
  near(at(made, 90, 60), BLUE);
  near(at(made, 40, 5), BLUE);
  const tall = thumbnail(picture(360, 960, (_x, y) => (y < 480 ? RED : BLUE)));
  near(at(tall, 90, 20), RED);
  near(at(tall, 90, 100), BLUE);
});

test('a small one lies whole on white, and what can be seen through is white too', () => {
  const small = thumbnail(decodePicture(pngOf(picture(40, 20, () => RED))));
  near(at(small, 90, 60), RED);
  near(at(small, 60, 60), WHITE);
  near(at(small, 90, 40), WHITE);
  near(at(thumbnail(picture(360, 240, () => [0, 0, 0, 0])), 90, 60), WHITE);
  const wide = thumbnail(picture(720, 60, () => BLUE));
  near(at(wide, 90, 60), BLUE);
  near(at(wide, 90, 30), WHITE);
});

/** 200 by 150. */
const BLUE_GIF =
  'R0lGODlhyACWAPAAAAoKyAAAACH5BAAAAAAALAAAAADIAJYAAALbhI+py+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6zvf+DwwKh8Si8YhMKpfMpvMJjUqn1Kr1is1qt9yu9wsOi8fksvmMTqvX7Lb7DY/L5/S6/Y7P6/f8vv8PGCg4SFhoeIiYqLjI2Oj4CBkpOUlZaXmJmam5ydnp+QkaKjpKWmp6ipqqusra6voKGys7S1tre4ubq7vL2+v7CxwsPExcbHyMnKy8zNzs/AwdLT1NXW19jZ2tvc3d7f0NHi4+Tl5ufo6err7O3u7+Dh8vP09fb3+PL1cAADs=';
/** Each made by ImageMagick. */
const GIFS = {
  /** 3 by 8, red above blue, its rows in four passes. */
  interlaced: 'R0lGODlhAwAIAPAAAP8AAAAA/yH5BAAAAAAALAAAAAADAAgAQAIHhIMGGKrMCgA7',
  /** 4 by 4, blue on the left, transparent on the right. */
  transparent: 'R0lGODlhBAAEAPAAAAAA/wAAACH5BAEAAAEALAAAAAAEAAQAAAIGBBKGmhcFADs=',
  /** 40 by 30 in 16 greys, as `greyAt` says: its codes grow from 5 bits to more. */
  greys:
    'R0lGODlhKAAeAPMPAAAAABERESIiIjMzM0RERFVVVWZmZnd3d4iIiJmZmaqqqru7u8zMzN3d3e7u7v///yH5BAAAAAAAIf8LSW1hZ2VNYWdpY2sOZ2FtbWE9MC40NTQ1NDUALAAAAAAoAB4AAAT+EBwWBiHCJaFAQUmCFIAiJI5wDQFzSJSFOQ2hOIEQPIshNYLC4VAQNF6GxSMXcCgItRuTV2AIDAlF4kBwIAAGRePxaCh8CAfhkE0YBIzqtc39FhKMBkNxECwGCQ05Og0JAwsCBwp5DAkkdnh6fAYNA4oLCiMACQEHCw4AAA4LBwEJHggKmAcDDZSWqpkFDwYMABYsDQgnAGshXJsCCIK4AAwGtLa4AZUdBAZDBS0FlQgLDAwLCK1VAUIHBgQlA87QRAEBaUEGBQMlBIhYCwtufja3BewZCOkp+e0lEn164KARlAILbq0AsIAaATwOCJLiIDBiQRRJAAgYkItfggf+axAg4PKA07AKAwQwNOAg48ZcDQpIEaDSBYA0A8wZGOAFhkYdTqjJxEHT2AE11rK5CWACgS10xnYpCCAvG4IuRwkkpVcLUAMAAUQpKNCSwrNwLVgOBQug0AAGXtk6+eP0QSgzZGsFIFCgAIG0DmR+BfCAwTa6DOy2PVOJjYJMBB58SQJKVI+bIFNpYeWqcRbIiJyCKpPgYMIBfd01rBHIbsFdoRmMLhR7dumYp1MzdNhalGE/wmQTLvTKMWTJYD6FGoUm8+MtrYp/vopYMd6ye/v+PRZYTKjChwfUvbsobtig2M9uV3uDrVu4geTyQXqNK9PgYMP+nlpVG1b6SlGyMtQgRt3kQE5D7NTTBD81MVZMM9XUUkIvMeMRSAeIRJJJxKS00oQaccSMCZ5YZBBuChGgGm+ySdQHiQNd1M86AD0RTwLz1LPAPajp48WM/7hDTi/mSBNHNddYxQ0F34QzTjnR7FCLQh3x4ssW4mxwUjHHJEMlM8XFogknJS5HiimoxMJZmJiMAAkjfPjh1SDMGIKIIow4cpMHkexBhBVYbNbFZGKQYQYaajhWTxyA0kFABAA7',
};
const greyAt = (x: number, y: number): number => (((x * x * 7 + y * y * 13) % 31) % 16) * 17;
const gifOf = (name: keyof typeof GIFS) => decodePicture(Buffer.from(GIFS[name], 'base64'));
const pixels = ({ data }: { readonly data: Uint8Array }): number[][] =>
  Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(i * 4, i * 4 + 4)]);

test('GIF: rows in passes, transparency, codes that grow, and what is broken', () => {
  const rows = (name: keyof typeof GIFS) => gifOf(name).width;
  expect([rows('interlaced'), rows('transparent'), rows('greys')]).toEqual([3, 4, 40]);
  const [red, blue] = [
    [255, 0, 0, 255],
    [0, 0, 255, 255],
  ];
  expect(pixels(gifOf('interlaced'))).toEqual(Array.from({ length: 24 }, (_, i) => (i < 12 ? red : blue)));
  expect(pixels(gifOf('transparent')).map(([, , , alpha]) => alpha)).toEqual(
    Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 255 : 0)),
  );
  const greys = Array.from({ length: 1200 }, (_, i) => greyAt(i % 40, Math.floor(i / 40)));
  expect(pixels(gifOf('greys')).map(([grey]) => grey)).toEqual(greys);
  const whole = Buffer.from(GIFS.greys, 'base64');
  for (let end = 6; end < whole.length; end++) {
    try {
      expect(decodePicture(whole.subarray(0, end)).width).toBe(40);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
  const huge = Buffer.from(whole);
  huge.fill(0xff, 6, 10);
  expect(() => decodePicture(huge)).toThrow(RangeError);
});

test('JPEG, PNG, GIF, and a blank one for what is none', async () => {
  await using http = await startHttp();
  const blue = picture(200, 150, () => BLUE);
  const parts: (readonly [type: string, octets: Buffer])[] = [
    ['image/png', pngOf(blue)],
    ['image/jpeg', jpeg.encode(blue, 90).data],
    ['image/gif', Buffer.from(BLUE_GIF, 'base64')],
    ['image/png', pngOf(blue).subarray(0, 60)],
    ['image/jpeg', Buffer.alloc(500, 0xff)],
    ['image/gif', Buffer.from('GIF89a')],
    ['text/plain', Buffer.from('hello')],
    // It says that it is huge.
    ['image/png', Buffer.concat([pngOf(blue).subarray(0, 16), Buffer.alloc(8, 0x7f), pngOf(blue).subarray(24)])],
  ];
  const id = http.store.put(
    [
      'Content-Type: multipart/mixed; boundary=b',
      '',
      ...parts.flatMap(([type, octets]) => [
        '--b',
        `Content-Type: ${type}`,
        'Content-Transfer-Encoding: base64',
        '',
        octets.toString('base64'),
      ]),
      '--b--',
      '',
    ].join('\r\n'),
  );
  const colours: number[][] = [];
  for (const number of parts.keys()) {
    const response = await http.get(`/api/v1/message/${id}/part/${number + 1}/thumb`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    colours.push(at(new Uint8Array(await response.arrayBuffer()), 90, 60));
  }
  for (const colour of colours.slice(0, 3)) near(colour, BLUE);
  for (const colour of colours.slice(3)) near(colour, WHITE);
  expect((await http.get(`/api/v1/message/${id}/part/99/thumb`)).status).toBe(404);
  expect(http.logged).toEqual([]);
});
