/** What a simulated cluster is made of. The scenarios' has three nodes; the disturbed world draws another one each time. */

export interface ClusterSpec {
  readonly nodes: readonly NodeSpec[];
  readonly instances: readonly InstanceSpec[];
}

export interface NodeSpec {
  readonly name: string;
  readonly group: string; // Ganeti's node group
  readonly disks: number; // each a physical volume of kvmvg
}

export interface InstanceSpec {
  readonly name: string;
  readonly template: "drbd" | "plain";
  readonly primary: string;
  readonly secondary: string; // plain: empty
  readonly sizesKib: readonly number[]; // of its disks
  readonly up: boolean;
}

export const DISK_KIB = 65_536;

/** h1, h2, h3, each with one disk; web1 on h1 and h2, web2 on h2 and h3, and so on. */
export function threeNodes(instances: number): ClusterSpec {
  const nodes = [1, 2, 3].map((n) => ({ name: nodeName(n), group: "default", disks: 1 }));
  return {
    nodes,
    instances: Array.from({ length: instances }, (_, i) => ({
      name: `web${i + 1}.sim.example`,
      template: "drbd",
      primary: nodeName((i % 3) + 1),
      secondary: nodeName(((i + 1) % 3) + 1),
      sizesKib: [DISK_KIB],
      up: true,
    })),
  };
}

/** @param n from 1 */
export function nodeName(n: number): string {
  return `h${n}.sim.example`;
}
