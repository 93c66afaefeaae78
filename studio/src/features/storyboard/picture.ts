import { address } from "@/api/client";
import { media } from "@/api/library";
import type { MediaCard } from "@/lib/storyboard";

/** The address of a picture of what a card holds; null for an uploaded clip, of which there is none. */
export function pictureOf(card: MediaCard): string | null {
  if (card.media.startsWith("video_")) return media.thumbnail(card.media);
  return card.kind === "image" ? address(`v1/files/${card.media}/content`) : null;
}
