/** The templates of new processes, by the ids of `src/admin/designer.rs`. */
import approval from './templates/approval.bpmn';
import blank from './templates/blank.bpmn';
import reminder from './templates/reminder.bpmn';
import subprocess from './templates/subprocess.bpmn';
import wizard from './templates/wizard.bpmn';

const TEMPLATES: Record<string, string> = { approval, blank, reminder, subprocess, wizard };

export function template(id: string): string {
  return TEMPLATES[id] ?? blank;
}
