/** The lab as a library, for the tests on a real kernel and for quickstart. */
export { openLab, runningLab, bringUp, bringUpBareNode, claimForTests } from "./up.js";
export { takeDown } from "./down.js";
export { takeDownOnSignals } from "./interrupted.js";
export { asProblem } from "./host/problem.js";
export { SUITES, wantedSuite, type Suite } from "./host/suite.js";
export type { Lab, LabNode } from "./lab.js";
export type { Ran, RunOptions } from "./host/exec.js";
export { HostCommandFailed } from "./host/exec.js";
export { ensurePackages, labObstacle } from "./host/packages.js";
export type { Report } from "./host/progress.js";
export { CLUSTER, INSTANCES, NODES, type NodeName } from "./nodes.js";
export {
  instanceDisk,
  instanceNames,
  masterNode,
  type DiskSide,
  type InstanceDisk,
} from "./cluster/configuration.js";
export {
  activateDisks,
  bringHome,
  contentHash,
  createInstance,
  ensureInstance,
  removeInstance,
  waitForHealthy,
  type NewInstance,
} from "./cluster/instance.js";
export { connect, disconnect, procDrbd, waitForMinor } from "./cluster/drbd.js";
export { rebuildCopy } from "./cluster/rebuild-copy.js";
export { waitForCluster } from "./cluster/readiness.js";
export { troubleNamed, troubles } from "./troubles/index.js";
export type { Trouble, TroubleParams } from "./troubles/trouble.js";
export { deploy, type DeployedFile, type DeployedUnit, type Deployment } from "./deploy.js";
