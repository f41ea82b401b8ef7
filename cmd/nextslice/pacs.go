package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/pacs"
)

type pacsCommand struct {
	Find pacsFindCommand `cmd:"" help:"List the series that a PACS has."`
	Pull pacsPullCommand `cmd:"" help:"Fetch series into a folder, a case each."`
	Push pacsPushCommand `cmd:"" help:"Send the masks of pulled cases back as DICOM segmentations."`
	Demo pacsDemoCommand `cmd:"" help:"Start an archive of synthetic patients on this machine, to try the others with."`
}

const pacsAccessHelp = `
The server's root address is that of DICOMweb, such as https://pacs.example/dicom-web (Orthanc) or .../rs (dcm4chee). Who you are
stands in NEXTSLICE_PACS_USER and NEXTSLICE_PACS_PASSWORD, in NEXTSLICE_PACS_TOKEN, or in the one line of a file, user:password or
a token, that --credentials names and nobody else can read. HTTPS_PROXY is heeded.`

// pacsFlags say how a server is reached. There is no flag for a password: others could read it in the list of processes.
type pacsFlags struct {
	Credentials string `placeholder:"FILE" help:"File with user:password or a token, instead of NEXTSLICE_PACS_USER and _PASSWORD, or _TOKEN."`
	CA          string `name:"ca" placeholder:"FILE" help:"PEM file of the hospital's own certificate authority."`
	Insecure    bool   `help:"Plain HTTP to another machine: whoever sees the network's traffic sees names, images and passwords."`
}

func (f pacsFlags) client(address string) (*pacs.Client, error) {
	a := pacs.Access{
		User: os.Getenv("NEXTSLICE_PACS_USER"), Password: os.Getenv("NEXTSLICE_PACS_PASSWORD"), Token: os.Getenv("NEXTSLICE_PACS_TOKEN"),
		CA: f.CA, Insecure: f.Insecure,
	}
	if f.Credentials != "" {
		if err := a.ReadCredentials(f.Credentials); err != nil {
			return nil, fmt.Errorf("--credentials: %w", err)
		}
	}
	client, err := pacs.New(address, a)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}

// pacsQuery are the filters of find and pull.
type pacsQuery struct {
	Patient           string `placeholder:"ID" help:"Patient ID; * stands for any characters here and in the other texts."`
	Accession         string `placeholder:"NUMBER" help:"Accession number."`
	Date              string `placeholder:"DAYS" help:"Day of the study, 20250131, or a range, 20250101-20250630."`
	Modality          string `placeholder:"NAME" help:"MR, CT ..."`
	StudyDescription  string `placeholder:"TEXT" help:"Description of the study."`
	SeriesDescription string `placeholder:"TEXT" help:"Description of the series."`
	Study             string `placeholder:"UID" help:"Study."`
	Series            string `placeholder:"UID" help:"Series."`
}

func (q pacsQuery) find(ctx context.Context, c *pacs.Client, errs io.Writer) ([]pacs.Series, error) {
	query := pacs.Query{Patient: q.Patient, Accession: q.Accession, Date: q.Date, Modality: q.Modality,
		StudyDescription: q.StudyDescription, SeriesDescription: q.SeriesDescription, Study: q.Study, Series: q.Series}
	if err := query.Check(); err != nil {
		return nil, usageError{err}
	}
	p := progress.New(errs)
	defer p.End()
	found, notes, err := c.Find(ctx, query, func(done, studies int) {
		p.Show(float64(done)/float64(studies), fmt.Sprintf("study %d/%d", done, studies))
	})
	p.End()
	warn(errs, notes)
	return found, err
}

type pacsFindCommand struct {
	Address string `arg:"" name:"url" placeholder:"URL" help:"Root address of the server's DICOMweb."`
	pacsQuery
	pacsFlags
	JSON bool `help:"Write JSON."`
}

func (pacsFindCommand) Help() string {
	return `Lists series with the number of their files. It also shows whether the server can be reached and knows you. Patients' names are not
shown, and where one stands in a description there are asterisks.
` + pacsAccessHelp + `

Examples:
  nextslice pacs find https://pacs.example/dicom-web --modality MR --date 20250101-20250630 --study-description '*prostate*'
  nextslice pacs find http://127.0.0.1:8042/dicom-web --patient 4711 --json`
}

func (c pacsFindCommand) Run(ctx context.Context, s streams) error {
	client, err := c.client(c.Address)
	if err != nil {
		return err
	}
	found, err := c.find(ctx, client, s.err)
	if err != nil {
		return err
	}
	if c.JSON {
		if found == nil {
			found = []pacs.Series{}
		}
		return writeJSON(s.out, found)
	}
	return listSeries(s.out, found)
}

// listSeries prints series as a table, and how many there are.
func listSeries(out io.Writer, all []pacs.Series) error {
	if len(all) > 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "date\tpatient ID\tmodality\tfiles\tstudy\tseries\tUID of the series")
		for _, s := range all {
			files := "?"
			if s.Instances >= 0 {
				files = fmt.Sprint(s.Instances)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Date, s.PatientID, s.Modality, files, s.StudyDescription, s.Description, s.UID)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%d series\n", len(all))
	return err
}

// interrupted says in plain words that a command was stopped, and how to go on.
func interruptedPacs(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted: the same command goes on")
	}
	return err
}
