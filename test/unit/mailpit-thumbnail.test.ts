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

test('JPEG, PNG, and a blank one for what is none', async () => {
  await using http = await startHttp();
  const blue = picture(200, 150, () => BLUE);
  const parts: (readonly [type: string, octets: Buffer])[] = [
    ['image/png', pngOf(blue)],
    ['image/jpeg', jpeg.encode(blue, 90).data],
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
  for (const colour of colours.slice(0, 2)) near(colour, BLUE);
  for (const colour of colours.slice(2)) near(colour, WHITE);
  expect((await http.get(`/api/v1/message/${id}/part/99/thumb`)).status).toBe(404);
  expect(http.logged).toEqual([]);
});
