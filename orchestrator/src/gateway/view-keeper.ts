/** Holds the one current view and folds what agents send into it. */
import type { Clock, Hello, Report } from "@vigie/proto";
import type { ObservedAt } from "./gateway.js";
import { emptyView, joined, withNode, type ClusterView } from "../view/cluster-view.js";
import { transitionsOf, type Transition } from "../view/transitions.js";
import { foldObserved, foldReport, unseenNode, type NodeView } from "../view/node-view.js";

export interface ViewKeeper {
  readonly view: () => ClusterView;
  readonly hello: (node: string, hello: Hello) => void;
  readonly report: (node: string, report: Report) => Transition[];
  readonly observed: (node: string, at: ObservedAt) => void;
  readonly gone: (node: string) => void;
  /** Once a tick: joins anew where minors came or went. */
  readonly settle: () => void;
}

export function createViewKeeper(clock: Clock, ownNode: string): ViewKeeper {
  let view = emptyView(ownNode);

  return {
    view: () => view,
    hello: (name, hello) => {
      const { bootId, agentVersion, highestEpoch, masterNode, journalHead } = hello;
      const readOnlyReason = hello.readOnly ? hello.readOnlyReason : "";
      put({
        ...nodeOf(name),
        connected: true,
        bootId,
        agentVersion,
        highestEpoch,
        stopNumber: hello.stop?.number ?? 0,
        maintenanceNumber: hello.maintenance?.number ?? 0,
        masterNode,
        journalHead,
        readOnlyReason,
      });
    },
    report: (name, report) => {
      const before = nodeOf(name);
      const after = foldReport(before, report, clock.monotonicMs());
      put(after);
      return transitionsOf(before, after, clock.wallUnixMs());
    },
    observed: (name, { observed, askedAtMs }) => put(foldObserved(nodeOf(name), observed, askedAtMs)),
    gone: (name) => put({ ...nodeOf(name), connected: false }),
    settle: () => {
      view = joined(view);
    },
  };

  function nodeOf(name: string): NodeView {
    return view.nodes.get(name) ?? unseenNode(name);
  }
  function put(node: NodeView): void {
    view = withNode(view, node, ownNode);
  }
}
