// Package pacs takes series of images from a PACS by DICOMweb (PS3.18) and brings segmentations back.
//
// Vocabulary:
//
//   - A server is what answers under a root address: studies, their series, their instances (files).
//   - A [Folder] holds what was pulled: a folder per case, P001, P002 ..., and pacs.json, which alone says which series a case is.
//
// Flow:
//
//  1. [Client.Find] searches (QIDO-RS) and filters the answers itself, since servers ignore keys that they do not know.
//  2. [Folder.Pull] retrieves whole series (WADO-RS), file by file, and checks that each is of the series asked for.
//  3. [Folder.Push] writes masks as DICOM segmentations on the pulled series, reads them back and stores them (STOW-RS).
//
// Pulled files are the hospital's own, with names in them: folders are 0700 and files 0600. No message, error or record of this package
// has a patient's name, a password or a token in it, nor a line of a server's answer, which could quote one. Addresses in answers
// are not followed: every request goes to the root that was given.
package pacs
