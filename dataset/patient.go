package dataset

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// What names say of patients: the entity sub- of BIDS, the word patient or the like with a number or name, and endings that tell a
// patient's scans apart.
var (
	patientName = regexp.MustCompile(`(?i)^((?:sub|subject|subj|patient|pat|pt)[-_ ]?[a-z]*\d+|sub-[a-z0-9]+)(?:[-_. ]|$)`)
	scanEnding  = regexp.MustCompile(`(?i)[-_. ](?:(?:` + scanWords + `|followup|baseline)[-_]?\d+|ed|es|pre|post|baseline|followup)$`)
	scanWord    = regexp.MustCompile(`(?i)(?:^|[-_. ])(?:` + scanWords + `)$`) // ends a name that the number of a scan follows
)

const scanWords = `frame|fr|time|timepoint|tp|t|ses|session|visit|v|scan|run|rep|phase|slice|sl|z|echo|acq|day|week|month|year|fu|bl`

// patientOf returns the patient that a case's name tells, else the whole name.
func patientOf(id string) string {
	if m := patientName.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	for {
		end := scanEnding.FindStringIndex(id)
		if end == nil || end[0] == 0 {
			return id
		}
		id = id[:end[0]]
	}
}

// guessPatients groups cases by patient where DICOM's PatientID or their names say that several are of one, and reports it. A group
// counts only with two cases at least, and PatientID only if the data set has several. It takes each PatientID out of its case: from here on a group goes
// by the ID of its first case, and nothing that is printed or stored can hold a PatientID.
func (d *Dataset) guessPatients() {
	ids := map[string]bool{} // one PatientID for all is that of an anonymiser
	for _, c := range d.Cases {
		if c.patient != "" {
			ids[c.patient] = true
		}
	}
	with := 0
	for _, c := range d.Cases {
		if c.patient != "" {
			with++
		}
	}
	if len(ids) == 1 && with > 1 {
		d.note("", "all %d DICOM cases have one PatientID: it is taken as that of an anonymiser, and names decide which cases are of one patient; --patient EXPRESSION says otherwise", with)
	}
	groups := map[string][]int{}
	var order []string
	for i, c := range d.Cases {
		name := c.patient // of a DICOM header
		if name == "" || len(ids) < 2 {
			name = patientOf(c.ID)
		}
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], i)
		d.Cases[i].patient = ""
	}
	cases, patients, example := 0, 0, ""
	for _, name := range order {
		if len(groups[name]) < 2 {
			continue
		}
		patients++
		cases += len(groups[name])
		var ids []string
		for _, i := range groups[name] {
			d.Cases[i].patient = d.Cases[groups[name][0]].ID
			ids = append(ids, d.Cases[i].ID)
		}
		if example == "" {
			example = strings.Join(ids[:min(3, len(ids))], ", ")
			if len(ids) > 3 {
				example += " …"
			}
		}
	}
	if patients > 0 {
		d.Grouped = fmt.Sprintf("%d cases are taken as those of %s and kept together (%s)", cases, count(patients, "patient"), example)
		d.note("", "%s; --patient EXPRESSION says otherwise, '.+' keeps none together", d.Grouped)
	}
}

// UsePatients groups cases by patient, for instance slices of one volume that are separate picture files. The patient is
// what pattern, a regular expression, matches in the case's ID, or its first group if it has one. The error names the first
// case that the pattern does not match.
func (d *Dataset) UsePatients(pattern string) error {
	r, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("patient: %w", err)
	}
	d.Grouped = ""
	for i, c := range d.Cases {
		found := r.FindStringSubmatch(c.ID)
		if found == nil || found[min(1, len(found)-1)] == "" {
			return fmt.Errorf("patient: %q finds nothing in the name of case %s", pattern, c.ID)
		}
		d.Cases[i].patient = found[min(1, len(found)-1)]
	}
	return nil
}

// Patient returns a name that all cases of one patient share, and no others: by default the ID of the first of them, or what the pattern of UsePatients finds.
// It is never a PatientID, see guessPatients.
func (c Case) Patient() string { return cmp.Or(c.patient, c.ID) }

// patients groups cases by patient, in the order of each one's first case.
func (d *Dataset) patients(cases []int) [][]int {
	index := map[string]int{}
	var groups [][]int
	for _, i := range cases {
		name := d.Cases[i].Patient()
		g, known := index[name]
		if !known {
			g = len(groups)
			index[name] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}
