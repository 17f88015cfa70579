/**
 * Who may call what. Every method of every service has a row; a method without one is refused, and a test
 * enumerates the generated services against this table (I35).
 */
import type { IdentityRole } from "@vigie/proto";

const VIEWER: readonly IdentityRole[] = ["viewer", "operator", "admin"];
const OPERATOR: readonly IdentityRole[] = ["operator", "admin"];
const ADMIN: readonly IdentityRole[] = ["admin"];

export const ROLES: Readonly<Record<string, readonly IdentityRole[]>> = {
  "/vigie.v1.GatewayService/Session": ["agent"],
  "/vigie.v1.OrchestratorService/GetStatus": VIEWER,
  "/vigie.v1.OrchestratorService/ListNodes": VIEWER,
  "/vigie.v1.OrchestratorService/ListResources": VIEWER,
  "/vigie.v1.OrchestratorService/ListInstances": VIEWER,
  "/vigie.v1.OrchestratorService/ListIncidents": VIEWER,
  "/vigie.v1.OrchestratorService/GetIncident": VIEWER,
  "/vigie.v1.OrchestratorService/ControlIncident": OPERATOR,
  "/vigie.v1.OrchestratorService/BeginMaintenance": OPERATOR,
  "/vigie.v1.OrchestratorService/EndMaintenance": OPERATOR,
  "/vigie.v1.OrchestratorService/ListMaintenances": VIEWER,
  "/vigie.v1.OrchestratorService/PlanRun": OPERATOR,
  "/vigie.v1.OrchestratorService/ApproveRun": OPERATOR,
  "/vigie.v1.OrchestratorService/AbortRun": OPERATOR,
  "/vigie.v1.OrchestratorService/ControlRun": OPERATOR,
  "/vigie.v1.OrchestratorService/ListRunbooks": VIEWER,
  "/vigie.v1.OrchestratorService/GetHolders": VIEWER,
  "/vigie.v1.OrchestratorService/ListLocks": VIEWER,
  "/vigie.v1.OrchestratorService/ListChannels": VIEWER,
  "/vigie.v1.OrchestratorService/TestChannels": OPERATOR,
  "/vigie.v1.OrchestratorService/SetKillSwitch": OPERATOR,
  "/vigie.v1.OrchestratorService/ListRuns": VIEWER,
  "/vigie.v1.OrchestratorService/GetRun": VIEWER,
  "/vigie.v1.OrchestratorService/Watch": VIEWER,
  "/vigie.v1.OrchestratorService/ListAudit": VIEWER,
  "/vigie.v1.OrchestratorService/VerifyAudit": VIEWER,
  "/vigie.v1.OrchestratorService/ConfirmLeadership": ADMIN,
};

export function mayCall(role: IdentityRole, path: string): boolean {
  return Object.hasOwn(ROLES, path) && ROLES[path]?.includes(role) === true;
}
