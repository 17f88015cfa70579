/** The machine itself. Everything the agent touches outside its own state folder goes through here. */
import { constants, readdirSync, readFile as readFileBack, readFileSync, readlinkSync } from "node:fs";
import { open, readdir, readlink, stat, statfs, type FileHandle } from "node:fs/promises";
import { connect } from "node:net";
import { promisify } from "node:util";
import { realClock, VigieError } from "@vigie/proto";
import { KERNEL_LOG_RECORDS_MAX, type DeviceHandle, type FilesystemStat, type Host } from "./host.js";
import { inTurn } from "./in-turn.js";
import { createLanes, laneOf } from "./lanes.js";
import type { Lane } from "./read-lanes.js";
import { openDevice } from "./real-device.js";
import { runCommand } from "./run-command.js";

const KMSG_RECORD_BYTES = 8192; // the kernel gives one record a read and refuses a smaller buffer (EINVAL)
const CLAIM_TIMEOUT_MS = 2_000;
const SOCKET_ANSWER_CAP_BYTES = 16 * 1024 * 1024; // parsed, it takes some times as much of a heap of 64 MiB
const FILE_CAP_BYTES = 16 * 1024 * 1024; // config.data of some thousand instances is 6

const readFile = promisify(readFileBack); // half of what node:fs/promises takes for a small file

export function createRealHost(): Host {
  let kernelLog: FileHandle | undefined;
  // iptables and ip6tables share one lock of the host: of thirty at once, some would wait for it in vain (-w).
  const atFirewall = inTurn();
  const lanes = createLanes(realClock);
  const inLane = <T>(path: string, work: () => Promise<T>): Promise<T> => lanes[laneOf(path)](path, work);
  return {
    ...realClock,
    readFile: async (path) =>
      isMemory(path) ? readFileSync(path, "utf8") : inLane(path, () => readBounded(path)),
    listFolder: async (path) => (isMemory(path) ? readdirSync(path) : inLane(path, () => readdir(path))),
    statFilesystem: (path) => inLane(path, () => statFilesystem(path)),
    readLink: async (path) => (isMemory(path) ? readlinkSync(path) : inLane(path, () => readlink(path))),
    writeFile: (path, text) => lanes[laneOf(path)](path, () => writeFile(path, text), { patient: true }),
    run: (command) => {
      const start = () => runCommand(command, realClock.monotonicMs);
      return command.file.endsWith("tables") ? atFirewall(start) : start();
    },
    exchange,
    claim: (path) => claim(path, lanes.devices),
    openDevice: async (name) => {
      const device = await lanes.devices(name, () => openDevice(name), { late: (opened) => opened.close() });
      return deviceInLane(name, device, lanes.devices);
    },
    newKernelLogRecords: () =>
      lanes.kernelLog(
        "/dev/kmsg",
        async () => {
          kernelLog ??= await open("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
          return readKernelLog(kernelLog);
        },
        { patient: true }, // a record is read once
      ),
  };
}

function deviceInLane(name: string, device: DeviceHandle, lane: Lane): DeviceHandle {
  return {
    read: (attribute) => lane(`${name}/${attribute}`, () => device.read(attribute)),
    readLink: (attribute) => lane(`${name}/${attribute}`, () => device.readLink(attribute)),
    list: (attribute) => lane(`${name}/${attribute}`, () => device.list(attribute)),
    write: (attribute, text) =>
      lane(`${name}/${attribute}`, () => device.write(attribute, text), { patient: true }),
    close: () => lane(name, device.close, { patient: true }),
  };
}

/**
 * Sysfs is the kernel's memory: what is read here is printed from it and waits for no disk, so it cannot hang as a
 * file can (I37). Read at once, a device costs a tenth of what five trips for each file through the thread pool do,
 * and a node with a hundred mirrored disks has four hundred devices. But for a queue's own files: the kernel prints
 * them under a lock that is held while it waits for a dead disk's requests (queue_attr_show in blk-sysfs.c).
 */
function isMemory(path: string): boolean {
  return path.startsWith("/sys/") && !path.includes("/queue/");
}

/** What the kernel prints is as long as it makes it; a file may be of any length. */
async function readBounded(path: string): Promise<string> {
  if (path.startsWith("/proc/") || path.startsWith("/sys/")) return readFile(path, "utf8");
  const { size } = await stat(path);
  if (size <= FILE_CAP_BYTES) return readFile(path, "utf8");
  throw new VigieError("SOURCE_FAILED", `${path} has ${size} bytes; no more than ${FILE_CAP_BYTES} are read`);
}

async function statFilesystem(path: string): Promise<FilesystemStat> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  return { sizeBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
}

/** In one write, as the kernel wants it. */
async function writeFile(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  try {
    await file.write(`${text}\n`);
  } finally {
    await file.close();
  }
}

/**
 * O_EXCL without O_CREAT is the kernel's own word for it: open(2). A disk that does not come back keeps a thread of
 * Node's until it does, and is not waited for (I37).
 */
async function claim(path: string, lane: Lane): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK;
  const opening = lane(path, () => open(path, flags), { patient: true });
  const stop = new AbortController();
  const late = realClock.sleep(CLAIM_TIMEOUT_MS, stop.signal).then(() => undefined);
  const file = await Promise.race([opening, late]).finally(() => stop.abort(null));
  if (file !== undefined) return file.close();
  void opening.then(
    (opened) => opened.close(),
    () => undefined,
  );
  throw new VigieError("COMMAND_HUNG", `${path} could not be opened within ${CLAIM_TIMEOUT_MS} ms`);
}

/** EAGAIN: no more for now. EPIPE: the ring overwrote what was not read yet; the next read goes on behind it. */
async function readKernelLog(file: FileHandle): Promise<string[]> {
  const records: string[] = [];
  const buffer = Buffer.alloc(KMSG_RECORD_BYTES);
  while (records.length < KERNEL_LOG_RECORDS_MAX) {
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      records.push(buffer.toString("utf8", 0, bytesRead));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EAGAIN") break;
      if (code !== "EPIPE") throw error;
    }
  }
  return records;
}

function exchange(socketPath: string, request: string, end: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.on("connect", () => socket.write(request + end));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > SOCKET_ANSWER_CAP_BYTES) return fail("the answer is too long");
      if (chunk.includes(end)) succeed();
    });
    socket.on("error", (error) => fail("it failed", error));
    socket.on("close", () => fail("it was closed without an answer"));

    function succeed(): void {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("utf8");
      resolve(text.slice(0, text.indexOf(end)));
    }
    function fail(reason: string, cause?: unknown): void {
      clearTimeout(timer);
      socket.destroy();
      reject(new VigieError("SOURCE_FAILED", `socket ${socketPath}: ${reason}`, { cause }));
    }
  });
}
