import { t } from "@/lib/i18n";

/** All of a picture in a frame of another shape, before a blurred copy of itself: what the server does with a first frame. */
export async function shownWhole(file: Blob, width: number, height: number): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error(t("This picture cannot be drawn here: choose Crop instead."));
  const draw = (scale: number) => {
    const [wide, high] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture, (width - wide) / 2, (height - high) / 2, wide, high);
  };
  context.imageSmoothingQuality = "high";
  const scales = [width / picture.width, height / picture.height];
  draw(Math.max(...scales)); // under the blur, whose edges are see-through
  context.filter = `blur(${Math.max(width, height) / 32}px)`;
  draw(Math.max(...scales));
  context.filter = "none";
  draw(Math.min(...scales));
  picture.close();
  return canvas.convertToBlob({ type: "image/png" });
}
