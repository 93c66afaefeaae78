import { ChevronLeft, ChevronRight, Maximize, Pause, Play, Repeat, Volume2, VolumeX } from "lucide-react";
import { type Ref, useCallback, useEffect, useImperativeHandle, useRef, useState } from "react";
import { cx, IconButton, Select } from "@/components/controls";
import { Failure } from "@/components/states";
import { timecode } from "@/lib/format";
import { type Bindings, useHotkeys } from "@/lib/hotkeys";
import { t } from "@/lib/i18n";

export interface PlayerHandle {
  seek: (seconds: number) => void;
  time: () => number;
  pause: () => void;
  /** The frame that is shown, as a PNG. */
  capture: () => Promise<Blob>;
}

export interface Span {
  from: number;
  to: number;
}

interface PlayerProps {
  src: string;
  poster?: string | undefined;
  fps: number;
  seconds: number;
  width: number;
  height: number;
  label: string;
  /** Plays only this part, and shows it on the bar. */
  span?: Span | undefined;
  onTime?: (seconds: number) => void;
  onSpan?: (span: Span) => void;
  keys?: boolean;
  ref?: Ref<PlayerHandle>;
}

const SPEEDS = ["0.25", "0.5", "1", "1.5", "2"];

/** A player for people who cut: whole frames, J K L, in and out points, loop and speed; every control by keyboard. */
export function Player({
  src,
  poster,
  fps,
  seconds,
  width,
  height,
  label,
  span,
  onTime,
  onSpan,
  keys = true,
  ref,
}: PlayerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [time, setTime] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [loop, setLoop] = useState(true);
  const [muted, setMuted] = useState(false);
  const [speed, setSpeed] = useState("1");
  const [broken, setBroken] = useState(false);
  const backwards = useRef<ReturnType<typeof setInterval>>(undefined);
  const last = Math.max(0, seconds - 1 / fps);

  const stopBackwards = useCallback(() => clearInterval(backwards.current), []);
  const seek = useCallback(
    (to: number) => {
      const element = video.current;
      if (!element) return;
      // The middle of a frame: a time on its border may show either neighbour.
      const index = Math.round(Math.min(Math.max(0, to), last) * fps);
      element.currentTime = (index + 0.5) / fps;
      setTime(index / fps);
      onTime?.(index / fps);
    },
    [fps, last, onTime],
  );
  const toggle = useCallback(() => {
    const element = video.current;
    if (!element) return;
    stopBackwards();
    if (!element.paused) return element.pause();
    if (span && (element.currentTime < span.from || element.currentTime >= span.to - 1 / fps)) seek(span.from);
    else if (element.currentTime >= last) seek(0);
    void element.play().catch(() => undefined);
  }, [span, fps, last, seek, stopBackwards]);

  useImperativeHandle(
    ref,
    () => ({
      seek,
      time: () => Math.floor((video.current?.currentTime ?? 0) * fps + 1e-3) / fps,
      pause: () => video.current?.pause(),
      capture: () => capture(video.current),
    }),
    [seek, fps],
  );

  useEffect(() => {
    const element = video.current;
    if (!element || !playing) return;
    let request = 0;
    const tick = () => {
      const now = element.currentTime;
      if (span && now >= span.to - 0.5 / fps) {
        if (loop) element.currentTime = span.from;
        else element.pause();
      }
      const at = Math.floor(now * fps + 1e-3) / fps;
      setTime(at);
      onTime?.(at);
      request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(request);
  }, [playing, span, loop, fps, onTime]);
  useEffect(() => {
    if (video.current) video.current.playbackRate = Number(speed);
  }, [speed]);
  useEffect(() => stopBackwards, [stopBackwards]);

  const step = (frames: number) => {
    stopBackwards();
    video.current?.pause();
    seek(time + frames / fps);
  };
  const bindings: Bindings = {
    space: toggle,
    k: () => {
      stopBackwards();
      video.current?.pause();
    },
    l: () => {
      stopBackwards();
      if (playing) setSpeed(speed === "1" ? "1.5" : "2");
      else toggle();
    },
    j: () => {
      stopBackwards();
      video.current?.pause();
      backwards.current = setInterval(() => video.current && seek(video.current.currentTime - 2 / fps), 2000 / fps);
    },
    arrowleft: () => step(-1),
    arrowright: () => step(1),
    "shift+arrowleft": () => step(-Math.round(fps)),
    "shift+arrowright": () => step(Math.round(fps)),
    home: () => seek(0),
    end: () => seek(last),
    m: () => setMuted(!muted),
    ...(onSpan
      ? {
          i: () => onSpan({ from: Math.min(time, (span?.to ?? seconds) - 1 / fps), to: span?.to ?? seconds }),
          o: () => onSpan({ from: span?.from ?? 0, to: Math.max(time + 1 / fps, (span?.from ?? 0) + 1 / fps) }),
        }
      : {}),
  };
  useHotkeys(bindings, keys);

  return (
    <div ref={frame} className="flex min-h-0 min-w-0 flex-1 flex-col gap-2 [&:fullscreen]:bg-black [&:fullscreen]:p-4">
      <div
        className="relative grid min-h-0 flex-1 place-items-center overflow-hidden rounded-xl bg-black max-lg:max-h-[58dvh] max-lg:flex-none"
        style={{ aspectRatio: `${width} / ${height}` }}
      >
        {broken ? (
          <Failure error={new Error(t("The clip cannot be played."))} retry={() => setBroken(false)} />
        ) : (
          <video
            ref={video}
            src={src}
            poster={poster}
            aria-label={label}
            width={width}
            height={height}
            loop={loop && !span}
            muted={muted}
            playsInline
            preload="auto"
            onClick={toggle}
            onPlay={() => setPlaying(true)}
            onPause={() => setPlaying(false)}
            onError={() => setBroken(true)}
            className="size-full max-h-full min-h-0 object-contain"
          />
        )}
      </div>
      <Bar time={time} seconds={seconds} fps={fps} span={span} onSeek={seek} />
      <div className="flex flex-wrap items-center gap-1">
        <IconButton label={playing ? t("Pause") : t("Play")} keys="space" onClick={toggle}>
          {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
        </IconButton>
        <IconButton label={t("One frame back")} keys="arrowleft" onClick={() => step(-1)}>
          <ChevronLeft aria-hidden />
        </IconButton>
        <IconButton label={t("One frame on")} keys="arrowright" onClick={() => step(1)}>
          <ChevronRight aria-hidden />
        </IconButton>
        <output className="px-2 font-mono text-sm tabular" aria-label={t("Time")}>
          {timecode(time, fps)} <span className="text-text-3">/ {timecode(seconds, fps)}</span>
        </output>
        <div className="ml-auto flex items-center gap-1">
          <Select
            quiet
            label={t("Speed")}
            value={speed}
            onChange={setSpeed}
            choices={SPEEDS.map((value) => ({ value, label: `${value}×` }))}
          />
          <IconButton label={t("Loop")} active={loop} onClick={() => setLoop(!loop)}>
            <Repeat aria-hidden />
          </IconButton>
          <IconButton label={muted ? t("Sound on") : t("Sound off")} keys="m" onClick={() => setMuted(!muted)}>
            {muted ? <VolumeX aria-hidden /> : <Volume2 aria-hidden />}
          </IconButton>
          <IconButton
            label={t("Full screen")}
            onClick={() =>
              void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen())
            }
          >
            <Maximize aria-hidden />
          </IconButton>
        </div>
      </div>
    </div>
  );
}

function Bar({
  time,
  seconds,
  fps,
  span,
  onSeek,
}: {
  time: number;
  seconds: number;
  fps: number;
  span: Span | undefined;
  onSeek: (to: number) => void;
}) {
  const last = Math.max(1 / fps, seconds - 1 / fps);
  const percent = (value: number) => `${(100 * value) / seconds}%`;
  return (
    <div className="relative h-5">
      {span && (
        <div
          aria-hidden
          className="absolute top-1 h-3 rounded-sm border-x-2 border-accent bg-accent-soft"
          style={{ left: percent(span.from), width: percent(span.to - span.from) }}
        />
      )}
      <input
        type="range"
        aria-label={t("Position")}
        aria-valuetext={timecode(time, fps)}
        className={cx("range absolute inset-0")}
        style={{ "--at": `${(100 * Math.min(time, last)) / last}%` } as React.CSSProperties}
        min={0}
        max={last}
        step={1 / fps}
        value={Math.min(time, last)}
        onChange={(event) => onSeek(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function capture(video: HTMLVideoElement | null): Promise<Blob> {
  return new Promise((done, failed) => {
    if (!video?.videoWidth) return failed(new Error(t("The clip is not loaded yet.")));
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error(t("The frame could not be read.")))), "image/png");
  });
}
